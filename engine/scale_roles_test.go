//go:build !simulation

package engine

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/listen"
	"sluice/engine/plan"
)

// roleVariable is the environment variable with the role of the test binary in another process.
const roleVariable = "SLUICE_TEST_ROLE"

// TestMain lets the test binary run as another process, with its own descriptors and memory.
func TestMain(m *testing.M) {
	roles := map[string]func([]string) error{
		"balancer": playBalancer, "clients": playClients, "servers": playServers,
	}
	runtime.GOMAXPROCS(runtime.NumCPU() + 1) // as sluice does
	play := roles[os.Getenv(roleVariable)]
	if play == nil {
		code := m.Run()
		if allTestsRun() {
			if err := checkVisited(); err != nil {
				fmt.Println(err)
				code = 1
			}
		}
		os.Exit(code)
	}
	if err := play(os.Args[1:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// player is a process with a role. It prints a line when it is ready, and one for each command.
// It ends when its standard input ends.
type player struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	pipe *os.File
	out  *bufio.Reader
}

// cast starts a role and returns its first line.
func cast(t *testing.T, role string, args ...string) (*player, string) {
	t.Helper()
	return castBy(t, nil, role, args...)
}

// castBy is cast through the command of another program.
func castBy(t *testing.T, by []string, role string, args ...string) (*player, string) {
	t.Helper()
	call := slices.Concat(by, []string{os.Args[0]}, args)
	p := &player{t: t, cmd: exec.Command(call[0], call[1:]...)}
	p.cmd.Env = append(os.Environ(), roleVariable+"="+role)
	p.cmd.Stderr = os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.pipe, p.out = out.(*os.File), bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.leave)
	return p, p.hear()
}

// hear returns the next line that the player prints.
func (p *player) hear() string {
	p.t.Helper()
	_ = p.pipe.SetReadDeadline(time.Now().Add(3 * patienceOfTests))
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("%s says %q and %v", p.cmd.Env[len(p.cmd.Env)-1], line, err)
	}
	return strings.TrimSpace(line)
}

// tell sends a command, which must be answered with ok.
func (p *player) tell(format string, args ...any) {
	p.t.Helper()
	fmt.Fprintf(p.in, format+"\n", args...)
	if said := p.hear(); said != "ok" {
		p.t.Fatalf(format+": %s", append(args, said)...)
	}
}

// leave ends the process.
func (p *player) leave() {
	late := time.AfterFunc(patienceOfTests, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	_ = p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("%s: %v", p.cmd.Env[len(p.cmd.Env)-1], err)
	}
}

// playBalancer runs a balancer with the configuration in the file args[0] and args[1] file
// descriptors. It prints the port of its first frontend. Its process log is written to the file
// args[2], if given.
func playBalancer(args []string) error {
	var fds uint64
	if _, err := fmt.Sscan(args[1], &fds); err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: fds, Max: fds}); err != nil {
		return fmt.Errorf("%d file descriptors: %w", fds, err)
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	c, problems := conf.ParseString(args[0], string(text))
	if err := problems.Err(); err != nil {
		return err
	}
	c.Frontends[0].Binds[0].Address.Port = 0
	logger, err := ownLog(args[2:])
	if err != nil {
		return err
	}
	log := access.Open("sluice", logger)
	defer log.Close()
	o := Options{Plan: plan.Make(c, fds), Logger: logger, Access: log}
	if o.Site, err = compiled(c); err != nil {
		return err
	}
	if o.Listeners, err = listen.Open(c, o.Plan.Loops); err != nil {
		return err
	}
	where := o.Listeners.Addr(c.Frontends[0].Name)
	e, err := New(o)
	if err != nil {
		return err
	}
	go func() {
		fmt.Println(where)
		_, _ = io.Copy(io.Discard, os.Stdin)
		e.Stop()
	}()
	return e.Run()
}

func ownLog(files []string) (*zap.Logger, error) {
	if len(files) == 0 {
		return zap.NewNop(), nil
	}
	c := zap.NewProductionConfig()
	c.OutputPaths = files
	return c.Build()
}
