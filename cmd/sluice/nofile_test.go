package main

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// limited starts p under a hard limit of open files.
func limited(p *proc, nofile int) { through(p, fmt.Sprintf("ulimit -n %d", nofile)) }

func TestFewFilesLowerMaxconn(t *testing.T) {
	for _, c := range []struct {
		global string
		starts bool
		want   []string
	}{
		{"", true, []string{"warning: maxconn 100 does not fit into 128 file descriptors, lowered to ", " connections x 2 + ", " of 128"}},
		{"strict-limits", false, []string{"error: maxconn 100 does not fit into 128 file descriptors, and strict-limits is on: ", "raise ulimit-n or lower maxconn"}},
	} {
		p, closeSocket := command(t, "run", "-f", config(t, echo(t), c.global))
		limited(p, 128)
		if c.starts {
			p.begin(t, closeSocket)
			mustAsk(t, dial(t, p.addr))
		} else {
			err := p.Run()
			closeSocket()
			if p.ProcessState.ExitCode() != 1 {
				t.Errorf("want exit status 1, got %v", err)
			}
		}
		for _, want := range c.want {
			if !strings.Contains(p.stderr.String(), want) {
				t.Errorf("'%s': no '%s' in\n%s", c.global, want, p.stderr.String())
			}
		}
	}
}

func TestWrittenUlimitHolds(t *testing.T) {
	p, closeSocket := command(t, "run", "-f", config(t, echo(t), "ulimit-n 120"))
	limited(p, 128)
	p.begin(t, closeSocket)
	if soft, hard := nofileOf(t, p.Process.Pid); soft != 120 || hard != 128 {
		t.Errorf("got soft %d, hard %d, want 120 and 128", soft, hard)
	}
}

// Root may raise the hard limit, but not in every container.
func TestUlimitOverTheHardLimit(t *testing.T) {
	p, closeSocket := command(t, "run", "-f", config(t, echo(t), "ulimit-n 1000"))
	limited(p, 128)
	p.begin(t, closeSocket)
	const warning = "ulimit-n 1000 is over the hard limit of 128 open files, and only root may raise that"
	soft, hard := nofileOf(t, p.Process.Pid)
	warned := strings.Contains(p.stderr.String(), warning)
	if raised := soft == 1000 && hard == 1000; raised == warned {
		t.Errorf("soft %d, hard %d: want 1000, or this limit and '%s' in\n%s", soft, hard, warning, p.stderr.String())
	}
}

func nofileOf(t *testing.T, pid int) (soft, hard uint64) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		t.Fatal(err)
	}
	return limit.Cur, limit.Max
}
