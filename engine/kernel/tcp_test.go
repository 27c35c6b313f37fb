package kernel

import (
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// rig is a process with the two ends of connections, for tests.
type rig struct {
	*Process
	t *testing.T
}

var at = Address{IP: netip.MustParseAddrPort("127.0.0.1:80")}

func newRig(t *testing.T, o Options) *rig {
	t.Helper()
	if o.Seed == 0 {
		o.Seed = 1
	}
	k := New(o)
	return &rig{k.Process("test"), t}
}

// want fails the test unless an error is the wanted one.
func (r *rig) want(what string, got, want Errno) {
	r.t.Helper()
	if got != want {
		r.t.Fatalf("%s: %s; want %s", what, name(got), name(want))
	}
}

func name(e Errno) string {
	if e == 0 {
		return "no error"
	}
	return unix.ErrnoName(e)
}

// listening opens a socket that listens.
func (r *rig) listening(a Address, backlog int) int {
	r.t.Helper()
	l := r.stream(a)
	r.want("bind", r.Bind(l, a), 0)
	r.want("listen", r.Listen(l, backlog), 0)
	return l
}

func (r *rig) stream(a Address) int {
	r.t.Helper()
	family := unix.AF_INET
	if a.IsUnix() {
		family = unix.AF_UNIX
	}
	fd, e := r.Socket(family)
	r.want("socket", e, 0)
	return fd
}

// run lets the network do everything.
func (r *rig) run() {
	for r.kernel.Step() {
	}
}

// pair returns the two ends of a connection.
func (r *rig) pair(a Address) (client, server int) {
	r.t.Helper()
	l := r.listening(a, 5)
	client = r.stream(a)
	if e := r.Connect(client, a); e != 0 && e != unix.EINPROGRESS {
		r.want("connect", e, 0)
	}
	r.run()
	if !a.IsUnix() {
		r.want("second connect", r.Connect(client, a), 0)
	}
	server, _, e := r.Accept(l)
	r.want("accept", e, 0)
	r.Close(l)
	r.kernel.Unlink(a.Path)
	return client, server
}

// reads fails the test unless a read returns just this text or error.
func (r *rig) reads(fd int, text string, want Errno) {
	r.t.Helper()
	r.gets(fd, 0, text, want)
}

func (r *rig) gets(fd, flags int, text string, want Errno) {
	r.t.Helper()
	b := make([]byte, 1<<20)
	n, e := r.Recv(fd, b, flags)
	r.want("read", e, want)
	if got := string(b[:max(0, n)]); got != text {
		r.t.Fatalf("read %q; want %q", got, text)
	}
}

// writes fails the test unless a write of the text returns this number or error.
func (r *rig) writes(fd int, text string, n int, want Errno) {
	r.t.Helper()
	r.sends(fd, text, 0, n, want)
}

func (r *rig) sends(fd int, text string, flags, n int, want Errno) {
	r.t.Helper()
	got, e := r.Send(fd, []byte(text), flags, Address{})
	r.want("write", e, want)
	if e == 0 && got != n {
		r.t.Fatalf("wrote %d; want %d", got, n)
	}
}

// polls fails the test unless just these events are present.
func (r *rig) polls(fd int, want string) {
	r.t.Helper()
	const shown = unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLOUT | unix.EPOLLERR | unix.EPOLLHUP | unix.EPOLLRDHUP
	if got := Events(r.Poll(fd) & shown); got != want {
		r.t.Fatalf("events %s; want %s", got, want)
	}
}

func (r *rig) unsent(fd, want int) {
	r.t.Helper()
	if n, _ := r.Unsent(fd); n != want {
		r.t.Fatalf("%d bytes unsent; want %d", n, want)
	}
}

// steps makes steps of the network until done.
func (r *rig) steps(done func() bool) {
	r.t.Helper()
	for !done() {
		if !r.kernel.Step() {
			r.t.Fatal("the network has come to rest too early")
		}
	}
}

func TestConnectIsReportedInItsOrder(t *testing.T) {
	r := newRig(t, Options{Delayed: true})
	c := r.stream(at)
	r.polls(c, "OUT|HUP")
	r.writes(c, "x", 0, unix.EPIPE)
	r.reads(c, "", unix.ENOTCONN)
	l := r.listening(at, 1)
	r.want("connect", r.Connect(c, at), unix.EINPROGRESS)
	r.want("connect", r.Connect(c, at), unix.EALREADY)
	r.polls(c, "")
	r.writes(c, "x", 0, unix.EAGAIN)
	r.reads(c, "", unix.EAGAIN)
	_, _, e := r.Accept(l)
	r.want("accept", e, unix.EAGAIN)
	r.run()
	r.polls(l, "IN")
	r.polls(c, "OUT")
	r.want("connect", r.Connect(c, at), 0)
	r.want("connect", r.Connect(c, at), unix.EISCONN)
	s, from, e := r.Accept(l)
	r.want("accept", e, 0)
	own, _ := r.Local(c)
	peer, _ := r.Peer(s)
	if from != own || peer != own {
		t.Errorf("the server sees %v and %v; want %v", from, peer, own)
	}
}

func TestRefusedConnect(t *testing.T) {
	r := newRig(t, Options{})
	c := r.stream(at)
	r.want("connect", r.Connect(c, at), unix.EINPROGRESS)
	r.polls(c, "IN|OUT|ERR|HUP|RDHUP")
	r.unsent(c, 1)
	r.want("connect", r.Connect(c, at), unix.ECONNREFUSED)
	r.polls(c, "OUT|HUP")
	r.want("connect", r.Connect(c, at), unix.EINPROGRESS)
	r.reads(c, "", unix.ECONNREFUSED)
	r.reads(c, "", 0)
	r.writes(c, "x", 0, unix.EPIPE)
	r.want("connect", r.Connect(c, at), unix.ECONNABORTED)
	r.listening(at, 1)
	r.want("connect", r.Connect(c, at), unix.EINPROGRESS)
	r.want("connect", r.Connect(c, at), 0)
}

func TestBytesArriveAndAreAcknowledged(t *testing.T) {
	r := newRig(t, Options{Delayed: true})
	c, s := r.pair(at)
	r.writes(c, "hello", 5, 0)
	r.unsent(c, 5)
	r.reads(s, "", unix.EAGAIN)
	r.steps(func() bool { return r.Poll(s)&unix.EPOLLIN != 0 })
	r.run()
	r.unsent(c, 0)
	r.gets(s, unix.MSG_PEEK, "hello", 0)
	r.reads(s, "hello", 0)
	r.reads(s, "", unix.EAGAIN)
	if i, _ := r.Info(s); i.Received != 5 {
		t.Errorf("received %d; want 5", i.Received)
	}
}

func TestFinComesBehindTheBytes(t *testing.T) {
	r := newRig(t, Options{})
	c, s := r.pair(at)
	r.writes(c, "last", 4, 0)
	r.want("shutdown", r.Shutdown(c, unix.SHUT_WR), 0)
	r.writes(c, "x", 0, unix.EPIPE)
	r.polls(s, "IN|OUT|RDHUP")
	r.reads(s, "last", 0)
	r.reads(s, "", 0)
	r.reads(s, "", 0)
	if i, _ := r.Info(s); i.Received != 5 {
		t.Errorf("received %d; want 5", i.Received)
	}
	r.writes(s, "answer", 6, 0)
	r.reads(c, "answer", 0)
	r.want("shutdown", r.Shutdown(s, unix.SHUT_WR), 0)
	r.polls(s, "IN|OUT|HUP|RDHUP")
	r.polls(c, "IN|OUT|HUP|RDHUP")
	r.want("shutdown", r.Shutdown(c, unix.SHUT_WR), unix.ENOTCONN)
}

func TestWritingToAClosedPeer(t *testing.T) {
	r := newRig(t, Options{})
	c, s := r.pair(at)
	r.Close(s)
	r.reads(c, "", 0)
	r.writes(c, "one", 3, 0)
	r.polls(c, "IN|OUT|ERR|HUP|RDHUP")
	r.writes(c, "two", 0, unix.EPIPE)
	r.unsent(c, 3)
	r.polls(c, "IN|OUT|HUP|RDHUP")
	r.reads(c, "", 0)
}

func TestResetLeavesReceivedBytes(t *testing.T) {
	r := newRig(t, Options{})
	c, s := r.pair(at)
	r.writes(c, "unread", 6, 0)
	r.writes(s, "answer", 6, 0)
	r.Close(s) // with unread bytes: RST
	r.polls(c, "IN|OUT|ERR|HUP|RDHUP")
	r.reads(c, "answer", 0)
	r.reads(c, "", unix.ECONNRESET)
	r.reads(c, "", 0)
	r.writes(c, "x", 0, unix.EPIPE)
}

func TestLingerZeroResets(t *testing.T) {
	r := newRig(t, Options{})
	c, s := r.pair(at)
	r.SetOption(c, unix.SOL_SOCKET, unix.SO_LINGER, 0)
	r.Close(c)
	r.writes(s, "x", 0, unix.ECONNRESET)
	r.writes(s, "x", 0, unix.EPIPE)
}

func TestFullSendBuffer(t *testing.T) {
	r := newRig(t, Options{Buffers: func() (int, int) { return 90, 10 }})
	c, s := r.pair(at)
	r.writes(c, strings.Repeat("x", 200), 90, 0)
	r.polls(c, "")
	r.writes(c, strings.Repeat("x", 20), 10, 0) // 10 have arrived
	r.writes(c, "x", 0, unix.EAGAIN)
	for range 2 {
		r.reads(s, strings.Repeat("x", 10), 0)
		r.polls(c, "")
	}
	r.reads(s, strings.Repeat("x", 10), 0)
	r.polls(c, "OUT")
}
