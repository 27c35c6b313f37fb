package kernel

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestMoreHoldsBytesBack(t *testing.T) {
	for what, release := range map[string]func(r *rig, c, s int){
		"another write": func(r *rig, c, _ int) { r.writes(c, "b", 1, 0) },
		"a shutdown":    func(r *rig, c, _ int) { r.Shutdown(c, unix.SHUT_WR) },
		"a close":       func(r *rig, c, _ int) { r.Close(c) },
		"time":          func(r *rig, _, _ int) { r.kernel.Advance(200 * time.Millisecond) },
		"peer's bytes":  func(r *rig, _, s int) { r.writes(s, "x", 1, 0) },
		"a full buffer": func(r *rig, c, _ int) { r.sends(c, strings.Repeat("b", 1<<20), unix.MSG_MORE, 64<<10-2, 0) },
	} {
		r := newRig(t, Options{})
		c, s := r.pair(at)
		r.sends(c, "a", unix.MSG_MORE, 1, 0)
		r.sends(c, "a", unix.MSG_MORE, 1, 0)
		r.writes(c, "", 0, 0)
		r.reads(s, "", unix.EAGAIN)
		r.unsent(c, 2)
		release(r, c, s)
		if b := make([]byte, 9); r.Poll(s)&unix.EPOLLIN == 0 {
			t.Errorf("%s does not release the bytes", what)
		} else if n, _ := r.Read(s, b); !strings.HasPrefix(string(b[:n]), "aa") {
			t.Errorf("%s releases %q", what, b[:n])
		}
	}
}

func TestFewUnsentBytes(t *testing.T) {
	r := newRig(t, Options{Buffers: func() (int, int) { return 1000, 10 }})
	c, s := r.pair(at)
	r.SetOption(c, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, 20)
	r.writes(c, strings.Repeat("x", 35), 35, 0) // 25 of them cannot be sent yet
	r.polls(c, "")
	r.writes(c, "x", 1, 0) // the last segment takes it
	r.reads(s, strings.Repeat("x", 10), 0)
	r.polls(c, "") // 16
	r.writes(c, "x", 1, 0)
	r.reads(s, strings.Repeat("x", 10), 0)
	r.polls(c, "OUT") // 7
}

// TestSpaceIsAnnouncedOnlyAfterItWasMissed: epoll hears of space only if a write was short, or if poll
// has seen the socket full.
func TestSpaceIsAnnouncedOnlyAfterItWasMissed(t *testing.T) {
	for _, size := range []int{99, 100} {
		r := newRig(t, Options{Buffers: func() (int, int) { return 99, 1 }})
		c, s := r.pair(at)
		ep, _ := r.Epoll()
		r.want("add", r.Control(ep, unix.EPOLL_CTL_ADD, c, &unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLET}), 0)
		var events [4]unix.EpollEvent
		r.Wait(ep, events[:])
		r.writes(c, strings.Repeat("x", size), 99, 0)
		woken := 0
		for range 99 {
			r.reads(s, "x", 0)
			n, _ := r.Wait(ep, events[:])
			woken += n
		}
		if short := size > 99; short != (woken == 1) || woken > 1 {
			t.Errorf("after a write of %d: %d events", size, woken)
		}
	}
}

func TestFastOpen(t *testing.T) {
	r := newRig(t, Options{})
	b := []byte("hello")
	_, e := r.Send(r.stream(at), b, unix.MSG_FASTOPEN, at)
	r.want("without the setting", e, unix.EOPNOTSUPP)

	r = newRig(t, Options{FastOpen: fastClients | fastServers})
	l := r.stream(at)
	r.SetOption(l, unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 5)
	r.want("bind", r.Bind(l, at), 0)
	r.want("listen", r.Listen(l, 5), 0)
	c := r.stream(at)
	_, e = r.Send(c, b, unix.MSG_FASTOPEN, at)
	r.want("without a cookie", e, unix.EINPROGRESS)
	r.want("connect", r.Connect(c, at), 0)
	r.Accept(l)
	c = r.stream(at)
	n, e := r.Send(c, b, unix.MSG_FASTOPEN, at)
	r.want("with a cookie", e, 0)
	if n != len(b) {
		t.Errorf("took %d bytes; want %d", n, len(b))
	}
	s, _, e := r.Accept(l)
	r.want("accept", e, 0)
	r.reads(s, "hello", 0)
	_, e = r.Send(c, b, unix.MSG_FASTOPEN, at)
	r.want("when established", e, 0)
	_, e = r.Send(c, b, unix.MSG_FASTOPEN, at)
	r.want("when connected", e, unix.EISCONN)
	r.reads(s, "hello", 0)
}

func TestFastOpenBytesAreReadBeforeTheHandshakeEnds(t *testing.T) {
	early := 0
	for seed := range uint64(100) {
		r := newRig(t, Options{Seed: seed, Delayed: true, FastOpen: fastClients | fastServers})
		l := r.stream(at)
		r.SetOption(l, unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 5)
		r.Bind(l, at)
		r.Listen(l, 5)
		r.Connect(r.stream(at), at)
		r.run()
		r.Accept(l)
		c := r.stream(at)
		n, e := r.Send(c, []byte("hello"), unix.MSG_FASTOPEN, at)
		if e != 0 {
			r.want("send", e, unix.EINPROGRESS)
			continue
		}
		r.writes(c, "x", 0, unix.EAGAIN)
		r.unsent(c, 0)
		r.steps(func() bool { return r.Poll(l) != 0 })
		s, _, _ := r.Accept(l)
		if r.Connect(c, at) == unix.EALREADY {
			early++
			r.reads(s, "hello"[:n], 0)
			r.writes(s, "answer", 6, 0)
			r.Close(s)
			r.run()
			r.want("connect", r.Connect(c, at), 0)
		}
		r.run()
		r.want("connect at last", r.Connect(c, at), unix.EISCONN)
	}
	if early == 0 {
		t.Error("it never happened")
	}
}

func TestFastOpenBytesAreLostWithTheConnection(t *testing.T) {
	r := newRig(t, Options{FastOpen: fastClients | fastServers})
	r.kernel.net.cookies = append(r.kernel.net.cookies, at.IP.Addr())
	c := r.stream(at)
	n, e := r.Send(c, []byte("hello"), unix.MSG_FASTOPEN, at)
	r.want("send", e, 0)
	if n != 5 {
		t.Errorf("took %d", n)
	}
	r.want("connect", r.Connect(c, at), unix.ECONNREFUSED)
	l := r.listening(at, 1)
	r.want("connect", r.Connect(c, at), unix.EINPROGRESS)
	s, _, _ := r.Accept(l)
	r.reads(s, "", unix.EAGAIN)
}

func TestUrgentByte(t *testing.T) {
	r := newRig(t, Options{})
	c, s := r.pair(at)
	r.gets(s, unix.MSG_OOB, "", unix.EINVAL)
	r.writes(c, "ab", 2, 0)
	r.sends(c, "!", unix.MSG_OOB, 1, 0)
	r.writes(c, "cd", 2, 0)
	r.polls(s, "IN|PRI|OUT")
	r.gets(s, unix.MSG_PEEK, "ab", 0)
	r.reads(s, "ab", 0)
	r.gets(s, unix.MSG_PEEK, "cd", 0)
	r.gets(s, unix.MSG_OOB|unix.MSG_PEEK, "!", 0)
	r.gets(s, unix.MSG_OOB, "!", 0)
	r.gets(s, unix.MSG_OOB, "", unix.EINVAL)
	r.polls(s, "IN|OUT")
	r.reads(s, "cd", 0)
	r.reads(s, "", unix.EAGAIN)
}

func TestNothingButAnUrgentByte(t *testing.T) {
	r := newRig(t, Options{})
	c, s := r.pair(at)
	r.sends(c, "!", unix.MSG_OOB, 1, 0)
	r.polls(s, "PRI|OUT")
	r.gets(s, unix.MSG_PEEK, "", unix.EAGAIN)
	r.polls(s, "PRI|OUT")
	r.reads(s, "", unix.EAGAIN)
	r.polls(s, "OUT") // the read has skipped it
	r.gets(s, unix.MSG_OOB, "", unix.EINVAL)
}

func TestSecondUrgentByte(t *testing.T) {
	for _, c := range []struct{ first, want string }{{"a!", "a!b"}, {"!", ""}} {
		r := newRig(t, Options{})
		client, s := r.pair(at)
		r.sends(client, c.first, unix.MSG_OOB, len(c.first), 0)
		if c.want == "" { // the reader stands in front of the first one, which is skipped
			r.sends(client, "?", unix.MSG_OOB, 1, 0)
			r.gets(s, unix.MSG_OOB, "?", 0)
			r.reads(s, "", unix.EAGAIN)
			continue
		}
		r.sends(client, "b?", unix.MSG_OOB, 2, 0)
		r.reads(s, c.want, 0)
	}
}

func TestUrgentByteInLine(t *testing.T) {
	r := newRig(t, Options{})
	c, s := r.pair(at)
	r.SetOption(s, unix.SOL_SOCKET, unix.SO_OOBINLINE, 1)
	r.sends(c, "a!", unix.MSG_OOB, 2, 0)
	r.writes(c, "b", 1, 0)
	r.gets(s, unix.MSG_OOB, "", unix.EINVAL)
	r.reads(s, "a", 0)
	r.reads(s, "!b", 0)
}

// TestSpliceStopsAtAnUrgentByte: behind a FIN this looks like the end of the stream.
func TestSpliceStopsAtAnUrgentByte(t *testing.T) {
	r := newRig(t, Options{})
	c, s := r.pair(at)
	_, w, _ := r.Pipe()
	r.sends(c, "a!", unix.MSG_OOB, 2, 0)
	r.writes(c, "b", 1, 0)
	for i, want := range []Errno{0, unix.EAGAIN} {
		n, e := r.Splice(s, w, 100)
		r.want("splice", e, want)
		if i == 0 && n != 1 {
			t.Errorf("moved %d; want 1", n)
		}
	}
	r.Shutdown(c, unix.SHUT_WR)
	n, e := r.Splice(s, w, 100)
	r.want("splice", e, 0)
	if n != 0 {
		t.Errorf("moved %d; want 0", n)
	}
	r.reads(s, "b", 0)
}
