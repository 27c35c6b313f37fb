package main

import (
	"strings"
	"testing"
)

func TestPassedSocketThatNobodyBindsIsTold(t *testing.T) {
	p, closeSocket := command(t, "run", "-f", config(t, echo(t)))
	through(p, "export LISTEN_PID=$$ LISTEN_FDS=2")
	p.begin(t, closeSocket)
	want := "warning: systemd passed a socket as descriptor 4, but no frontend has 'bind fd@4'"
	if said := p.stderr.String(); !strings.Contains(said, want) || strings.Contains(said, "fd@3'") {
		t.Errorf("want '%s' and nothing of descriptor 3, got\n%s", want, said)
	}
	mustAsk(t, dial(t, p.addr))
}
