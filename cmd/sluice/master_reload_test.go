package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// jailed is a master whose worker is nobody in an empty root directory, and a file that root alone
// may read.
type jailed struct {
	*proc
	dir, path, admin string
}

func newJailed(t *testing.T, args ...string) *jailed {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	j := &jailed{dir: dir, admin: filepath.Join(dir, "admin")}
	j.path = config(t, echo(t), "uid 65534", "gid 65534", "chroot "+filepath.Join(dir, "jail"), "stats socket "+j.admin+" level admin")
	if err := os.Chmod(j.path, 0o600); err != nil {
		t.Fatal(err)
	}
	j.proc = startProc(t, append(args, "-f", j.path)...)
	return j
}

// reloads changes the file, and waits for the reload of that number.
func (j *jailed) reloads(t *testing.T, generation int, was, is string) {
	t.Helper()
	rewrite(t, j.path, was, is)
	if err := os.Chmod(j.path, 0o600); err != nil {
		t.Fatal(err)
	}
	j.signal(t, syscall.SIGHUP)
	j.says(t, fmt.Sprintf("reloaded: generation %d, ", generation))
}

func (j *jailed) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(j.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A worker without rights, in an empty root directory, gets all from its master: the configuration,
// pattern files, error files, addresses of names, log files and sockets.
func TestReloadWithTheRightsOfTheMaster(t *testing.T) {
	j := newJailed(t)
	isJailed(t, workerOf(t, j.Process.Pid), nobody, filepath.Join(j.dir, "jail"))
	list := j.write(t, "list", "no.test\nyes.test\n")
	page := j.write(t, "page", "HTTP/1.0 503 Gone\r\n\r\nthe page of root\n")
	log := filepath.Join(j.dir, "log")
	unixPath := filepath.Join(j.dir, "socket")
	word := greeter(t, "welcome")
	_, port, _ := net.SplitHostPort(word)
	j.reloads(t, 2, "frontend in", `frontend web
    mode http
    log file@`+log+` format raw local0
    option httplog
    bind unix@`+unixPath+` mode 0600
    errorfile 503 `+page+`
    use_backend none if { hdr(host) -f `+list+` }
    default_backend none
backend none
    mode http
frontend more
    mode tcp
    bind unix@`+unixPath+`.tcp
    default_backend named
backend named
    server n localhost:`+port+`
frontend in`)
	j.says(t, "backend named added")
	c, err := net.Dial("unix", unixPath)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.0\r\nHost: yes.test\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(c); !strings.HasSuffix(string(answer), "the page of root\n") {
		t.Errorf("got %q, %v", answer, err)
	}
	waitFor(t, "a line in the log file", func() bool {
		b, _ := os.ReadFile(log)
		return strings.Contains(string(b), "web none/<NOSRV>")
	})
	tcp, err := net.Dial("unix", unixPath+".tcp")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	if got, err := io.ReadAll(tcp); string(got) != "welcome" {
		t.Errorf("by the name of a host: %q, %v", got, err)
	}
	j.reloads(t, 3, "bind unix@"+unixPath+" mode 0600", "bind unix@"+unixPath+" mode 0666")
	waitFor(t, "the mode of the socket", func() bool {
		info, err := os.Stat(unixPath)
		return err == nil && info.Mode().Perm() == 0o666
	})
	j.reloads(t, 4, "    bind unix@"+unixPath+".tcp\n", "")
	waitFor(t, "the end of the socket file", func() bool {
		_, err := os.Lstat(unixPath + ".tcp")
		return errors.Is(err, fs.ErrNotExist)
	})
	mustAsk(t, dial(t, j.addr))
	j.signal(t, syscall.SIGTERM)
	j.endsWell(t)
}

// A file that is not valid, or that is not there, changes nothing.
func TestMasterRefusesABrokenFile(t *testing.T) {
	j := newJailed(t)
	rewrite(t, j.path, "default_backend bk", "default_backend nobody")
	j.signal(t, syscall.SIGHUP)
	j.says(t, j.path+":15: error: ")
	j.says(t, j.path+" is not valid: 1 error, ")
	j.says(t, "not reloaded: the old configuration stays in use")
	mustAsk(t, dial(t, j.addr))
	rewrite(t, j.path, "default_backend nobody", "bind "+echo(t)+"\n    default_backend bk")
	j.signal(t, syscall.SIGHUP)
	j.says(t, "another process listens there already")
	mustAsk(t, dial(t, j.addr))
}

// The command of a stats socket asks the master, and has the answer of the worker.
func TestReloadCommandAsksTheMaster(t *testing.T) {
	j := newJailed(t)
	rewrite(t, j.path, "timeout server 30s", "timeout server 20s")
	for _, c := range []struct{ command, want string }{
		{"reload --dry-run", "^Success=1\n--\nbackend bk: timeout server 30s is now 20s\ndry run: a reload would make 1 change; nothing is changed\n"},
		{"reload", "^Success=1\n--\nbackend bk: timeout server 30s is now 20s\nreloaded: generation 2, 1 change, in "},
	} {
		if got := run(t, j.admin, c.command); !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("%s: got\n%s\nwant\n%s", c.command, got, c.want)
		}
	}
	rewrite(t, j.path, "default_backend bk", "default_backend nobody")
	for _, command := range []string{"reload --dry-run", "reload"} {
		if got := run(t, j.admin, command); !strings.HasPrefix(got, "Success=0\n--\n"+j.path+":15: error: ") {
			t.Errorf("%s: got\n%s", command, got)
		}
	}
}

// More sockets than one message can hold are added at once. Removed ones refuse clients.
func TestReloadWithManySockets(t *testing.T) {
	j := newJailed(t)
	var more strings.Builder
	const addresses = 200 // two sockets each
	for i := range addresses {
		fmt.Fprintf(&more, "\n    bind abns@%s/%d", j.dir, i)
	}
	j.reloads(t, 2, "bind fd@3", "bind fd@3"+more.String())
	for _, i := range []int{0, addresses - 1} {
		name := fmt.Sprintf("@%s/%d", j.dir, i)
		c, err := net.Dial("unix", name+strings.Repeat("\x00", max(107-len(name)+1, 0)))
		if err != nil {
			t.Fatal(err)
		}
		mustAsk(t, c)
		c.Close()
	}
	j.reloads(t, 3, more.String(), "")
	rewrite(t, j.path, "bind fd@3", "bind fd@3"+more.String())
	waitFor(t, "the end of the removed sockets", func() bool {
		answer := run(t, j.admin, "reload")
		if strings.HasPrefix(answer, "Success=0") && !strings.Contains(answer, "a socket of this process that was removed still has the name") {
			t.Fatal(answer)
		}
		return strings.HasPrefix(answer, "Success=1")
	})
}

// A worker opens no file for a reload: it reloads although each attempt would fail.
func TestWorkerOpensNoFile(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	list := filepath.Join(t.TempDir(), "list")
	path := config(t, echo(t))
	p := startProc(t, "-W", "-f", path)
	worker := workerOf(t, p.Process.Pid)
	tracer := exec.Command(strace, "-f", "-q", "-e", "trace=open,openat,openat2,creat", "-e", "inject=open,openat,openat2,creat:error=EACCES",
		"-p", strconv.Itoa(worker))
	said := &lockedBuffer{}
	tracer.Stderr = said
	if err := tracer.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = tracer.Wait(); close(ended) }()
	defer func() { _ = tracer.Process.Signal(syscall.SIGINT); <-ended }()
	waitFor(t, "strace to hold the worker", func() bool {
		select {
		case <-ended:
			t.Skipf("strace may not trace: %s", said.String())
		default:
		}
		return status(t, worker, "TracerPid") != "0"
	})
	rewrite(t, path, "frontend in", "frontend more\n    mode tcp\n    log unix@"+list+".none local0\n    bind "+freeAddress(t)+
		"\n    tcp-request connection reject if { src -f "+list+".ip }\n    default_backend bk\nfrontend in")
	if err := os.WriteFile(list+".ip", []byte("192.0.2.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(t, syscall.SIGHUP)
	p.says(t, "reloaded: generation 2, ")
	mustAsk(t, dial(t, p.addr))
	if strings.Contains(said.String(), "open") {
		t.Errorf("the worker opens:\n%s", said.String())
	}
}

// 50 reloads, each with other sockets and log files than the one before, leave no descriptor in
// either process. The first socket, which is inherited, comes and goes.
func TestReloadsLeaveNoDescriptors(t *testing.T) {
	j := newJailed(t)
	pids := []int{j.Process.Pid, workerOf(t, j.Process.Pid)}
	more := "bind unix@" + j.dir + "/a\n    bind " + freeAddress(t) + "\n    log file@" + j.dir + "/log local0\n    log unix@" + j.dir + "/none local0"
	was, is := "bind fd@3", more
	var after [2]int // descriptors after the first reloads
	for i := range 50 {
		j.reloads(t, i+2, was, is)
		was, is = is, was
		if i == 9 {
			for n, pid := range pids {
				after[n] = len(linksOf(t, pid))
			}
		}
	}
	mustAsk(t, dial(t, j.addr))
	for n, pid := range pids {
		waitFor(t, fmt.Sprintf("%d descriptors of %v", after[n], pids[n]), func() bool { return len(linksOf(t, pid)) <= after[n] })
	}
}

// freeAddress returns an address on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Reloads that add and remove addresses lose no client of the address that stays.
func TestMasterReloadsUnderLoad(t *testing.T) {
	j := newJailed(t)
	var asked atomic.Int64
	var over atomic.Bool
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for !over.Load() {
				if err := askOnce(j.addr); err != nil {
					t.Errorf("a client is lost: %v", err)
					return
				}
				asked.Add(1)
			}
		})
	}
	was, is := "bind fd@3", "bind fd@3\n    bind "+freeAddress(t)+"\n    bind unix@"+j.dir+"/more"
	for i := range 20 {
		before := asked.Load()
		j.reloads(t, i+2, was, is)
		was, is = is, was
		waitFor(t, "clients", func() bool { return asked.Load() > before+10 || t.Failed() })
	}
	over.Store(true)
	clients.Wait()
}
