package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// withStats starts sluice with a stats socket of this level. It returns the path of the
// configuration, the process, and the path of the socket.
func withStats(t *testing.T, server, level string, args ...string) (path string, p *proc, socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	path = config(t, server, "stats socket "+socket+" level "+level)
	return path, startProc(t, append(args, "-f", path)...), socket
}

// run sends a command to a stats socket and returns the answer.
func run(t *testing.T, socket, command string) string {
	t.Helper()
	answer, err := sendCommand(socket, command)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// A dry run changes nothing. A reload answers with the lines of the log.
func TestReloadByCommand(t *testing.T) {
	was, is := echo(t), greeter(t, "new")
	path, p, socket := withStats(t, was, "admin")
	rewrite(t, path, was, is)
	change := "backend bk: server s1: address " + was + " is now " + is + "\n"
	if got, want := run(t, socket, "reload --dry-run"), "Success=1\n--\n"+change+"dry run: a reload would make 1 change; nothing is changed\n"; got != want {
		t.Errorf("dry run: %q, want %q", got, want)
	}
	if err := askOnce(p.addr); err != nil {
		t.Fatal(err)
	}
	got := run(t, socket, "reload")
	if want := "Success=1\n--\n" + change + "reloaded: generation 2, 1 change, in "; !strings.HasPrefix(got, want) {
		t.Errorf("reload: %q, want %q", got, want)
	}
	if got := greeting(t, p.addr); got != "new" {
		t.Errorf("after the reload: %q", got)
	}
	p.says(t, "stats socket: reload of "+path)
	waitFor(t, "one configuration in use", func() bool {
		lines := strings.Split(run(t, socket, "show generations"), "\n")
		return len(lines) == 3 && strings.HasPrefix(lines[1], "2 ") && strings.HasSuffix(lines[1], " newest")
	})
}

func TestReloadOfABrokenFileByCommand(t *testing.T) {
	path, p, socket := withStats(t, echo(t), "admin")
	rewrite(t, path, "default_backend bk", "default_backend nobody")
	want := "Success=0\n--\n" + path + ":12: error: 'default_backend nobody' in frontend 'in': no backend has this name\n" +
		path + " is not valid: 1 error, 0 warnings\nnot reloaded: the old configuration stays in use\n"
	for _, command := range []string{"reload --dry-run", "reload"} {
		if got := run(t, socket, command); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
	mustAsk(t, dial(t, p.addr))
}

func TestReloadByAClientWithoutTheLevel(t *testing.T) {
	_, p, socket := withStats(t, echo(t), "operator")
	if got := run(t, socket, "reload"); got != "Permission denied\n" {
		t.Errorf("%q", got)
	}
	p.signal(t, syscall.SIGTERM)
	p.endsWell(t)
	if strings.Contains(p.stderr.String(), "reload") {
		t.Errorf("it has reloaded:\n%s", p.stderr.String())
	}
}

// Commands and signals at the same time: each reload is complete before the next one, and each
// command has its answer.
func TestReloadsAtTheSameTime(t *testing.T) {
	for name, args := range withAndWithoutMaster {
		t.Run(name, func(t *testing.T) { reloadsAtTheSameTime(t, args...) })
	}
}

// withAndWithoutMaster are the flags of two processes: one reads its files itself, the other has a
// master process for that.
var withAndWithoutMaster = map[string][]string{"alone": nil, "with a master": {"-W"}}

func reloadsAtTheSameTime(t *testing.T, args ...string) {
	t.Helper()
	_, p, socket := withStats(t, echo(t), "admin", args...)
	answers := make(chan string)
	const clients = 8
	for range clients {
		go func() {
			answer, err := sendCommand(socket, "reload")
			answers <- fmt.Sprint(answer, err)
		}()
		p.signal(t, syscall.SIGHUP)
	}
	for range clients {
		if got := <-answers; !strings.HasPrefix(got, "Success=1\n--\nreloaded: generation ") {
			t.Errorf("%q", got)
		}
	}
	mustAsk(t, dial(t, p.addr))
}

// A signal that stops the process ends it at once at any moment of a reload.
func TestTermDuringReloads(t *testing.T) {
	t.Logf("seed %d (go test -args -seed=N)", *seed)
	for name, args := range withAndWithoutMaster {
		t.Run(name, func(t *testing.T) { termDuringReloads(t, args...) })
	}
}

func termDuringReloads(t *testing.T, args ...string) {
	t.Helper()
	r := rand.New(rand.NewPCG(*seed, 1))
	for i := range 6 {
		path, p, socket := withStats(t, echo(t), "admin", args...)
		before := "timeout server 30s"
		var asking sync.WaitGroup
		for range 2 {
			asking.Go(func() {
				for err := error(nil); err == nil; { // until the socket is closed
					_, err = sendCommand(socket, "reload")
				}
			})
		}
		stop := underLoad(p.addr, 2)
		for n := range 1 + r.IntN(20) {
			after := fmt.Sprintf("timeout server %ds", 31+n)
			rewrite(t, path, before, after)
			before = after
			p.signal(t, syscall.SIGHUP)
		}
		p.signal(t, []syscall.Signal{syscall.SIGTERM, syscall.SIGUSR1}[i%2])
		p.endsWell(t)
		stop.end()
		asking.Wait()
	}
}
