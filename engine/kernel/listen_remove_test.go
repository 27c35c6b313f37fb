package kernel

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A listening socket with a filter drops SYN. The client tries again a second later, and another
// socket that listens there by then gets it.
func TestFilterDropsSYN(t *testing.T) {
	r := newRig(t, Options{})
	l := r.listening(at, 5)
	r.SetOption(l, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, 1)
	c := r.stream(at)
	r.want("connect", r.Connect(c, at), unix.EINPROGRESS)
	r.run()
	_, _, e := r.Accept(l)
	r.want("accept", e, unix.EAGAIN)
	r.Close(l)
	l = r.listening(at, 5)
	r.kernel.Advance(time.Second)
	r.run()
	_, _, e = r.Accept(l)
	r.want("accept after the SYN was sent again", e, 0)
}

// A listening socket that is bound to an interface that does not exist gets no SYN. Another socket
// gets it, or the client is refused.
func TestSocketOfNoInterfaceGetsNoSYN(t *testing.T) {
	r := newRig(t, Options{})
	narrow := r.stream(at)
	r.SetOption(narrow, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	r.want("bind", r.Bind(narrow, at), 0)
	r.want("listen", r.Listen(narrow, 5), 0)
	r.SetOption(narrow, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, 1<<30)
	c := r.stream(at)
	r.want("connect", r.Connect(c, at), unix.EINPROGRESS)
	r.run()
	r.want("connect to nobody", r.Connect(c, at), unix.ECONNREFUSED)
	wide := r.stream(at)
	r.SetOption(wide, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	r.want("bind", r.Bind(wide, ip("0.0.0.0:80")), 0)
	r.want("listen", r.Listen(wide, 5), 0)
	r.want("connect", r.Connect(c, at), unix.EINPROGRESS)
	r.run()
	_, _, e := r.Accept(wide)
	r.want("accept on the wildcard", e, 0)
}

// The machine tells the listening sockets of a port, with the inode number of each.
func TestListeningSocketsOfAPort(t *testing.T) {
	r := newRig(t, Options{})
	l := r.listening(at, 5)
	r.listening(ip("127.0.0.1:81"), 5)
	r.want("bind", r.Bind(r.stream(at), ip("127.0.0.2:80")), 0)
	inode, open := r.Inode(l)
	got := r.Kernel().Listening(80)
	if !open || inode == 0 || len(got) != 1 || got[0] != (Listening{at.IP, false, inode}) {
		t.Errorf("got %v; want one socket at %s with inode %d", got, at, inode)
	}
	if _, open := r.Inode(99); open {
		t.Error("descriptor 99 is open")
	}
}
