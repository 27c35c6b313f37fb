package access

import (
	"fmt"
	"net"
	"strconv"

	"sluice/conf"
)

// outlet is a way out of the process. Its carrier's goroutine owns it, but for
// reopen, which anybody may call.
type outlet interface {
	// send brings a batch out, noting in it what is out, and tells fail of each
	// line that can never be sent. An error means: try the rest again later.
	send(b *batch, fail func(error)) error
	reopen() error
	close()
}

// openOutlet opens the destination of a target.
func openOutlet(t conf.LogTarget) (outlet, error) {
	switch t.Kind {
	case conf.LogUDP:
		return openUDP(t.Address)
	case conf.LogUnix:
		return openUnix(unixName(t.Address)), nil
	case conf.LogStdout:
		return openStd(1, "stdout")
	case conf.LogStderr:
		return openStd(2, "stderr")
	case conf.LogFile:
		return openFile(t.Path)
	}
	return nil, fmt.Errorf("unknown kind %d", t.Kind)
}

// destination names what a target writes to; equal names mean the same.
func destination(t conf.LogTarget) string {
	switch t.Kind {
	case conf.LogUDP:
		return hostPort(t.Address)
	case conf.LogUnix:
		return unixName(t.Address)
	case conf.LogStdout:
		return "stdout"
	case conf.LogStderr:
		return "stderr"
	}
	return "file@" + t.Path
}

func hostPort(a conf.Address) string {
	host := a.Host
	if a.IP.IsValid() {
		host = a.IP.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(a.Port)))
}

// unixName is a socket's name as package net writes it, @ for an abstract one.
func unixName(a conf.Address) string {
	if a.Net == conf.NetAbstract {
		return "@" + a.Path
	}
	return a.Path
}
