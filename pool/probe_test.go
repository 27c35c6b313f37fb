package pool

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"sluice/conf"
)

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func checked(a conf.Address) *conf.Backend {
	c := weighted(1)
	s := c.Servers[0]
	s.Address, s.Check, s.Rise, s.Fall, s.Inter = a, true, 1, 1, 10*time.Millisecond
	return c
}

func tcpAddress(l net.Listener) conf.Address {
	a := l.Addr().(*net.TCPAddr).AddrPort()
	return conf.Address{IP: a.Addr(), Port: a.Port()}
}

var duration = regexp.MustCompile(`duration: \d+ms`)

// wait returns the text of the next event, with all durations replaced by 0ms.
func wait(t *testing.T, events <-chan Event) string {
	t.Helper()
	select {
	case e := <-events:
		return duration.ReplaceAllString(e.Text, "duration: 0ms")
	case <-time.After(10 * time.Second):
		t.Fatal("no event in 10s")
		return ""
	}
}

// follow runs the checks of b until the test ends. They must then finish.
func follow(t *testing.T, b *Backend) <-chan Event {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	events, over := make(chan Event), make(chan struct{})
	go func() {
		defer close(over)
		b.check(ctx, patient, func(e Event) {
			select {
			case events <- e:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-over
	})
	return events
}

// patient is newProber with a connect timeout longer than inter, because a busy machine may
// need more time.
func patient(s *Server) prober {
	switch p := newProber(s).(type) {
	case connector:
		p.timeout = time.Minute
		return p
	case question:
		p.timeout = time.Minute
		return p
	default:
		return p
	}
}

func TestCheckFollowsARealServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "srv")
	name := fmt.Sprintf("sluice-pool-%d", time.Now().UnixNano())
	tests := []struct {
		name, network, bind string
		address             conf.Address // of a TCP server: chosen by the kernel
		dead                string
	}{
		{"tcp", "tcp", "127.0.0.2:0", conf.Address{}, `Layer4 connection problem, info: "Connection refused"`},
		{"tcp6", "tcp", "[::1]:0", conf.Address{}, `Layer4 connection problem, info: "Connection refused"`},
		{"unix", "unix", path, conf.Address{Net: conf.NetUnix, Path: path},
			`Socket error, info: "General socket error (No such file or directory)"`},
		{"abstract", "unix", abstract(name), conf.Address{Net: conf.NetAbstract, Path: name},
			`Socket error, info: "General socket error (Connection refused)"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := listen(t, tt.network, tt.bind)
			if tt.network == "tcp" {
				tt.address, tt.bind = tcpAddress(l), l.Addr().String()
			}
			b := mustNew(t, checked(tt.address))
			events := follow(t, b)
			acceptOne(t, l)
			l.Close()
			want := "Server bk/a is DOWN, reason: " + tt.dead + ", check duration: 0ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue."
			if got := wait(t, events); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if got, want := wait(t, events), "backend bk has no server available!"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			listen(t, tt.network, tt.bind)
			want = "Server bk/a is UP, reason: Layer4 check passed, check duration: 0ms. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue."
			if got := wait(t, events); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// acceptOne accepts a check's connection, which the check must close at once.
func acceptOne(t *testing.T, l net.Listener) {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err = conn.Read(make([]byte, 1))
	if ne, ok := errors.AsType[net.Error](err); err == nil || ok && ne.Timeout() {
		t.Errorf("a check left its connection open: %v", err)
	}
}

func TestCheckTimesOut(t *testing.T) {
	b := mustNew(t, checked(fullBacklog(t)))
	c := newConnector(b.Servers()[0], b.Conf())
	c.timeout = 20 * time.Millisecond
	r := c.probe(t.Context())
	if r.OK || r.Local || r.Status != L4TOUT || r.Info != "" || r.Duration < c.timeout {
		t.Errorf("got %+v, want L4TOUT", r)
	}
}

// fullBacklog returns the address of a listener with a full queue that nobody accepts from. The
// kernel drops the next SYN.
func fullBacklog(t *testing.T) conf.Address {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	err = errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0))
	own, err2 := syscall.Getsockname(fd)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	a := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(own.(*syscall.SockaddrInet4).Port))
	for range 10 {
		conn, err := net.DialTimeout("tcp", a.String(), 50*time.Millisecond)
		if err != nil {
			return conf.Address{IP: a.Addr(), Port: a.Port()}
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("the backlog never fills")
	return conf.Address{}
}

func TestJudge(t *testing.T) {
	tests := []struct {
		network string
		errno   syscall.Errno
		want    Result
	}{
		{"tcp", syscall.ECONNREFUSED, Result{Status: L4CON, Info: "Connection refused"}},
		{"tcp", syscall.EHOSTUNREACH, Result{Status: L4CON, Info: "No route to host"}},
		{"tcp", syscall.ENETUNREACH, Result{Status: L4CON, Info: "General socket error (Network is unreachable)"}},
		{"tcp", syscall.ETIMEDOUT, Result{Status: L4TOUT}},
		{"tcp", syscall.EADDRNOTAVAIL, Result{Local: true, Status: SOCKERR, Info: "General socket error (Cannot assign requested address)"}},
		{"tcp", syscall.EMFILE, Result{Local: true, Status: SOCKERR, Info: "General socket error (Too many open files)"}},
		{"tcp", syscall.EAGAIN, Result{Local: true, Status: SOCKERR, Info: "General socket error (Resource temporarily unavailable)"}},
		{"unix", syscall.EAGAIN, Result{Status: SOCKERR, Info: "General socket error (Resource temporarily unavailable)"}},
		{"unix", syscall.ENFILE, Result{Local: true, Status: SOCKERR, Info: "General socket error (Too many open files in system)"}},
	}
	for _, tt := range tests {
		err := &net.OpError{Op: "dial", Err: fmt.Errorf("connect: %w", tt.errno)}
		if got := (connector{network: tt.network}).judge(err); got != tt.want {
			t.Errorf("%s %v: got %+v, want %+v", tt.network, tt.errno, got, tt.want)
		}
	}
}

func TestConnectTimeoutOfACheck(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct{ connect, check, inter, want time.Duration }{
		{0, 0, 2000 * ms, 2000 * ms},
		{500 * ms, 0, 2000 * ms, 2000 * ms},
		{500 * ms, 300 * ms, 2000 * ms, 500 * ms},
		{500 * ms, 300 * ms, 200 * ms, 200 * ms},
		{0, 300 * ms, 200 * ms, 200 * ms},
	} {
		c := weighted(1)
		c.Timeout = conf.BackTimeout{Connect: tt.connect, Check: tt.check}
		c.Servers[0].Inter = tt.inter
		if got := connectTimeout(c.Timeout, c.Servers[0].Inter); got != tt.want {
			t.Errorf("%+v: got %v", tt, got)
		}
	}
}
