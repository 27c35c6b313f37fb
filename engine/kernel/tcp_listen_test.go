package kernel

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func ip(text string) Address { return Address{IP: netip.MustParseAddrPort(text)} }

func TestBindConflicts(t *testing.T) {
	port, reuse := unix.SO_REUSEPORT, unix.SO_REUSEADDR
	for _, c := range []struct {
		first, second string
		option        int
		bind, listen  Errno
	}{
		{"127.0.0.1:80", "127.0.0.1:80", 0, unix.EADDRINUSE, 0},
		{"127.0.0.1:80", "0.0.0.0:80", 0, unix.EADDRINUSE, 0},
		{"0.0.0.0:80", "127.0.0.1:80", reuse, unix.EADDRINUSE, 0},
		{"[::]:80", "127.0.0.1:80", 0, unix.EADDRINUSE, 0},
		{"[::1]:80", "127.0.0.1:80", 0, 0, 0},
		{"127.0.0.1:80", "127.0.0.2:80", 0, 0, 0},
		{"127.0.0.1:80", "127.0.0.1:81", 0, 0, 0},
		{"127.0.0.1:80", "127.0.0.1:80", port, 0, 0},
		{"0.0.0.0:80", "127.0.0.1:80", port, 0, 0},
	} {
		r := newRig(t, Options{})
		a, _ := r.Socket(unix.AF_INET6)
		b, _ := r.Socket(unix.AF_INET6)
		if c.option != 0 {
			r.SetOption(a, unix.SOL_SOCKET, c.option, 1)
			r.SetOption(b, unix.SOL_SOCKET, c.option, 1)
		}
		r.want("bind "+c.first, r.Bind(a, ip(c.first)), 0)
		r.want("listen", r.Listen(a, 1), 0)
		r.want("bind "+c.second, r.Bind(b, ip(c.second)), c.bind)
		r.Close(a)
		if c.bind != 0 {
			r.want("bind again", r.Bind(b, ip(c.second)), 0)
		}
	}
}

func TestBindWithoutAPort(t *testing.T) {
	r := newRig(t, Options{Ports: [2]uint16{2000, 2001}})
	var seen []uint16
	for range 2 {
		fd := r.stream(at)
		r.want("bind", r.Bind(fd, ip("127.0.0.1:0")), 0)
		own, _ := r.Local(fd)
		seen = append(seen, own.IP.Port())
	}
	if seen[0] == seen[1] || min(seen[0], seen[1]) != 2000 || max(seen[0], seen[1]) != 2001 {
		t.Errorf("ports %d; want 2000 and 2001", seen)
	}
	r.want("bind", r.Bind(r.stream(at), ip("127.0.0.1:0")), unix.EADDRINUSE)
}

func TestNoPortIsLeft(t *testing.T) {
	r := newRig(t, Options{Ports: [2]uint16{2000, 2001}})
	r.listening(at, 5)
	a, b, c := r.stream(at), r.stream(at), r.stream(at)
	r.want("connect", r.Connect(a, at), unix.EINPROGRESS)
	r.want("connect", r.Connect(b, at), unix.EINPROGRESS)
	r.want("connect", r.Connect(c, at), unix.EADDRNOTAVAIL)
	r.want("another server", r.Connect(c, ip("127.0.0.1:81")), unix.EINPROGRESS)
	r.Close(b)
	r.SetOption(a, unix.SOL_SOCKET, unix.SO_LINGER, 0)
	r.Close(a)
	r.want("connect", r.Connect(r.stream(at), at), unix.EINPROGRESS)
}

func TestTheMoreSpecificAddressWins(t *testing.T) {
	r := newRig(t, Options{})
	var fds []int
	for _, a := range []string{"0.0.0.0:80", "127.0.0.1:80"} {
		fd := r.stream(at)
		r.SetOption(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		r.want("bind", r.Bind(fd, ip(a)), 0)
		r.want("listen", r.Listen(fd, 5), 0)
		fds = append(fds, fd)
	}
	r.Connect(r.stream(at), at)
	r.polls(fds[0], "")
	r.polls(fds[1], "IN")
	r.Connect(r.stream(at), ip("127.0.0.2:80"))
	r.polls(fds[0], "IN")
	r.Close(fds[1])
	r.Connect(r.stream(at), at)
	if i, _ := r.Info(fds[0]); i.Queued != 2 {
		t.Errorf("%d connections in the queue; want 2", i.Queued)
	}
}

func TestGroupSharesConnections(t *testing.T) {
	r := newRig(t, Options{})
	var fds []int
	for range 2 {
		fd := r.stream(at)
		r.SetOption(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		r.want("bind", r.Bind(fd, at), 0)
		r.want("listen", r.Listen(fd, 99), 0)
		fds = append(fds, fd)
	}
	var clients []int
	for range 40 {
		c := r.stream(at)
		r.Connect(c, at)
		clients = append(clients, c)
	}
	left, _ := r.Info(fds[0])
	right, _ := r.Info(fds[1])
	if left.Queued == 0 || right.Queued == 0 || left.Queued+right.Queued != 40 {
		t.Errorf("the queues have %d and %d connections of 40", left.Queued, right.Queued)
	}
	r.Close(fds[0])
	reset := uint32(0)
	for _, c := range clients {
		if r.Poll(c)&unix.EPOLLERR != 0 {
			r.want("connect", r.Connect(c, at), unix.ECONNRESET)
			reset++
		}
	}
	if reset != left.Queued {
		t.Errorf("%d connections were reset; want %d", reset, left.Queued)
	}
}

func TestFullAcceptQueue(t *testing.T) {
	r := newRig(t, Options{})
	l := r.listening(at, 1)
	a, b, c := r.stream(at), r.stream(at), r.stream(at)
	for _, fd := range []int{a, b, c} {
		r.want("connect", r.Connect(fd, at), unix.EINPROGRESS)
	}
	r.polls(b, "OUT")
	r.polls(c, "")
	_, _, e := r.Accept(l)
	r.want("accept", e, 0)
	r.kernel.Advance(999 * time.Millisecond)
	r.want("connect", r.Connect(c, at), unix.EALREADY)
	r.kernel.Advance(time.Second)
	r.want("connect", r.Connect(c, at), 0)
}

// TestQueueFillsDuringTheHandshake: both SYNs find space, and only one connection does.
func TestQueueFillsDuringTheHandshake(t *testing.T) {
	late := 0
	for seed := range uint64(50) {
		r := newRig(t, Options{Seed: seed, Delayed: true})
		l := r.listening(at, 0)
		a, b := r.stream(at), r.stream(at)
		r.Connect(a, at)
		r.Connect(b, at)
		r.run()
		if r.Poll(a)&r.Poll(b)&unix.EPOLLOUT == 0 {
			continue
		}
		late++
		r.writes(a, "a", 1, 0)
		r.writes(b, "b", 1, 0)
		r.run()
		_, _, e := r.Accept(l)
		r.want("accept", e, 0)
		_, _, e = r.Accept(l)
		r.want("accept", e, unix.EAGAIN)
		r.kernel.Advance(2 * time.Second)
		r.run()
		s, _, e := r.Accept(l)
		r.want("accept", e, 0)
		r.run()
		r.polls(s, "IN|OUT")
	}
	if late == 0 {
		t.Error("it never happened")
	}
}

func TestBlackhole(t *testing.T) {
	r := newRig(t, Options{})
	r.kernel.Blackhole(at)
	r.listening(at, 1)
	c := r.stream(at)
	r.want("connect", r.Connect(c, at), unix.EINPROGRESS)
	r.kernel.Advance(130999 * time.Millisecond)
	r.want("connect", r.Connect(c, at), unix.EALREADY)
	r.kernel.Advance(131 * time.Second)
	r.polls(c, "IN|OUT|ERR|HUP|RDHUP")
	r.want("connect", r.Connect(c, at), unix.ETIMEDOUT)
	c = r.stream(at)
	r.Connect(c, at)
	r.Close(c)
	if _, armed := r.kernel.NextTimer(); armed {
		t.Error("a timer is left")
	}
}

func TestListeningSocketIsNoConnection(t *testing.T) {
	r := newRig(t, Options{})
	l := r.listening(at, 1)
	r.polls(l, "")
	r.reads(l, "", unix.ENOTCONN)
	r.writes(l, "x", 0, unix.EPIPE)
	r.want("connect", r.Connect(l, at), unix.EISCONN)
	_, e := r.Unsent(l)
	r.want("SIOCOUTQ", e, unix.EINVAL)
	_, _, e = r.Accept(r.stream(at))
	r.want("accept on another socket", e, unix.EINVAL)
	c := r.stream(at)
	r.Connect(c, at)
	r.want("shutdown", r.Shutdown(l, unix.SHUT_RD), 0)
	r.polls(l, "OUT|HUP")
	r.polls(c, "IN|OUT|ERR|HUP|RDHUP")
}

func TestClientLeavesBeforeAccept(t *testing.T) {
	r := newRig(t, Options{})
	l := r.listening(at, 5)
	for _, linger := range []int{-1, 0} {
		c := r.stream(at)
		r.Connect(c, at)
		r.writes(c, "hi", 2, 0)
		r.SetOption(c, unix.SOL_SOCKET, unix.SO_LINGER, linger)
		r.Close(c)
	}
	polite, _, _ := r.Accept(l)
	r.reads(polite, "hi", 0)
	r.reads(polite, "", 0)
	rude, _, _ := r.Accept(l)
	r.reads(rude, "hi", 0)
	r.reads(rude, "", unix.ECONNRESET)
}

func TestFaultsOfAcceptAndConnect(t *testing.T) {
	r := newRig(t, Options{})
	l := r.listening(at, 5)
	c := r.stream(at)
	r.Fault = func(Call) Errno { return unix.EADDRNOTAVAIL }
	r.want("connect", r.Connect(c, at), unix.EADDRNOTAVAIL)
	r.Fault = nil
	r.want("connect", r.Connect(c, at), unix.EINPROGRESS)
	r.Fault = func(Call) Errno { return unix.EADDRNOTAVAIL }
	r.want("connect", r.Connect(c, at), 0)
	r.Fault = func(Call) Errno { return unix.ECONNABORTED }
	_, _, e := r.Accept(l)
	r.want("accept", e, unix.ECONNABORTED)
	_, _, e = r.Accept(l)
	r.want("accept", e, unix.EAGAIN)
	r.Fault = nil
	r.reads(c, "", unix.ECONNRESET)
}
