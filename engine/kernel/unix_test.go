package kernel

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

var path, abstract = Address{Path: "/run/s"}, Address{Path: "@s"}

func TestUnixConnect(t *testing.T) {
	r := newRig(t, Options{})
	c := r.stream(path)
	r.polls(c, "OUT|HUP")
	r.reads(c, "", unix.EINVAL)
	r.writes(c, "x", 0, unix.ENOTCONN)
	r.want("no path", r.Connect(c, path), unix.ENOENT)
	r.want("no name", r.Connect(c, abstract), unix.ECONNREFUSED)
	l := r.stream(path)
	r.want("bind", r.Bind(l, path), 0)
	r.want("bound only", r.Connect(c, path), unix.ECONNREFUSED)
	r.want("listen", r.Listen(l, 0), 0)
	r.want("connect", r.Connect(c, path), 0)
	r.want("again", r.Connect(c, path), unix.EAGAIN)
	r.polls(l, "IN")
	_, from, e := r.Accept(l)
	r.want("accept", e, 0)
	if from != (Address{}) {
		t.Errorf("the client has the address %v", from)
	}
	r.want("again", r.Connect(c, path), unix.EISCONN)
	r.Close(l)
	r.want("stale path", r.Connect(r.stream(path), path), unix.ECONNREFUSED)
	r.want("bind", r.Bind(r.stream(path), path), unix.EADDRINUSE)
	r.kernel.Unlink(path.Path)
	r.want("bind", r.Bind(r.stream(path), path), 0)
	r.Close(r.listening(abstract, 1))
	r.Close(r.listening(abstract, 1))
}

func TestUnixStream(t *testing.T) {
	r := newRig(t, Options{})
	c, s := r.pair(path)
	r.writes(c, "abc", 3, 0)
	r.writes(c, "def", 3, 0)
	r.unsent(c, 6)
	r.gets(s, unix.MSG_PEEK, "abcdef", 0)
	b := make([]byte, 4)
	n, _ := r.Read(s, b)
	r.unsent(c, 3) // the second buffer counts as long as it is not read to its end
	if n != 4 {
		t.Errorf("read %d; want 4", n)
	}
	r.reads(s, "ef", 0)
	r.unsent(c, 0)
	r.reads(s, "", unix.EAGAIN)
	r.sends(c, "x", unix.MSG_OOB, 0, unix.EOPNOTSUPP)
	_, e := r.Info(c)
	r.want("TCP_INFO", e, unix.EOPNOTSUPP)
	r.want("TCP option", r.SetOption(c, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1), unix.EOPNOTSUPP)
}

func TestUnixBufferIsFull(t *testing.T) {
	r := newRig(t, Options{Buffers: func() (int, int) { return 100, 7 }})
	c, s := r.pair(path)
	r.writes(c, strings.Repeat("x", 200), 100, 0)
	r.polls(c, "")
	r.writes(c, "x", 0, unix.EAGAIN)
	b := make([]byte, 50)
	r.Read(s, b)
	r.polls(c, "")
	r.writes(c, "y", 1, 0)
	r.Read(s, b)
	r.polls(c, "OUT")
}

func TestUnixEnds(t *testing.T) {
	r := newRig(t, Options{})
	c, s := r.pair(path)
	r.writes(s, "last", 4, 0)
	r.Close(s)
	r.polls(c, "IN|OUT|HUP|RDHUP")
	r.writes(c, "x", 0, unix.EPIPE)
	r.reads(c, "last", 0)
	r.reads(c, "", 0)

	c, s = r.pair(path)
	r.writes(c, "unread", 6, 0)
	r.writes(s, "last", 4, 0)
	r.Close(s)
	r.polls(c, "IN|OUT|ERR|HUP|RDHUP")
	r.writes(c, "x", 0, unix.EPIPE)
	r.reads(c, "last", 0)
	r.reads(c, "", unix.ECONNRESET)
	r.reads(c, "", 0)
	r.polls(c, "IN|OUT|HUP|RDHUP")

	c, s = r.pair(path)
	r.Shutdown(c, unix.SHUT_WR)
	r.polls(s, "IN|OUT|RDHUP")
	r.polls(c, "OUT")
	r.reads(s, "", 0)
	r.writes(s, "x", 1, 0)
	r.reads(c, "x", 0)
	r.Shutdown(c, unix.SHUT_RD)
	r.writes(s, "x", 0, unix.EPIPE)

	l := r.listening(path, 5)
	c = r.stream(path)
	r.Connect(c, path)
	r.Close(l)
	r.reads(c, "", unix.ECONNRESET)
}
