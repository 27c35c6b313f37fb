package kernel

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestUnsentNeverFallsAfterAReset(t *testing.T) {
	r := newRig(t, Options{Buffers: func() (int, int) { return 1000, 100 }})
	c, s := r.pair(at)
	r.writes(c, strings.Repeat("x", 1000), 1000, 0)
	r.unsent(c, 900)
	r.Close(s)
	r.unsent(c, 900)
	r.reads(c, "", unix.ECONNRESET)
	r.unsent(c, 900)
}

func TestUnsentCountsAFin(t *testing.T) {
	r := newRig(t, Options{Delayed: true})
	c, _ := r.pair(at)
	r.writes(c, "x", 1, 0)
	r.Shutdown(c, unix.SHUT_WR)
	r.unsent(c, 2)
	r.run()
	r.unsent(c, 0)
}

func TestAcknowledgementsComeLater(t *testing.T) {
	seen := false
	for seed := range uint64(50) {
		r := newRig(t, Options{Seed: seed, Delayed: true})
		c, s := r.pair(at)
		r.writes(c, "x", 1, 0)
		r.steps(func() bool { return r.Poll(s)&unix.EPOLLIN != 0 })
		n, _ := r.Unsent(c)
		seen = seen || n > 0
	}
	if !seen {
		t.Error("an acknowledgement always comes together with the bytes")
	}
}

func TestAnswerAcknowledgesTheRequest(t *testing.T) {
	for seed := range uint64(100) {
		r := newRig(t, Options{Seed: seed, Delayed: true})
		c, s := r.pair(at)
		r.writes(c, "request", 7, 0)
		r.steps(func() bool { return r.Poll(s)&unix.EPOLLIN != 0 })
		n, _ := r.Recv(s, make([]byte, 9), 0)
		r.writes(s, "answer", 6, 0)
		r.steps(func() bool { return r.Poll(c)&unix.EPOLLIN != 0 })
		if left, _ := r.Unsent(c); left > 7-n {
			t.Fatalf("%d of 7 bytes were read, and %d are not acknowledged", n, left)
		}
	}
}

func TestOrphanGoesOnSending(t *testing.T) {
	r := newRig(t, Options{Buffers: func() (int, int) { return 100, 10 }})
	c, s := r.pair(at)
	r.writes(c, strings.Repeat("x", 100), 100, 0)
	r.Close(c)
	for range 10 {
		r.reads(s, strings.Repeat("x", 10), 0)
	}
	r.reads(s, "", 0)
}

func TestLingerZeroDropsWhatIsNotSent(t *testing.T) {
	r := newRig(t, Options{Buffers: func() (int, int) { return 100, 10 }})
	c, s := r.pair(at)
	r.writes(c, strings.Repeat("x", 100), 100, 0)
	r.SetOption(c, unix.SOL_SOCKET, unix.SO_LINGER, 0)
	r.Close(c)
	r.reads(s, strings.Repeat("x", 10), 0)
	r.reads(s, "", unix.ECONNRESET)
}

func TestResetBehindAFinGivesEPIPE(t *testing.T) {
	r := newRig(t, Options{})
	c, s := r.pair(at)
	r.Shutdown(s, unix.SHUT_WR)
	r.SetOption(s, unix.SOL_SOCKET, unix.SO_LINGER, 0)
	r.Close(s)
	r.polls(c, "IN|OUT|ERR|HUP|RDHUP")
	r.reads(c, "", 0)
	r.writes(c, "x", 0, unix.EPIPE)
	r.polls(c, "IN|OUT|HUP|RDHUP")
}

func TestBothDirectionsShutRefuseBytes(t *testing.T) {
	r := newRig(t, Options{})
	c, s := r.pair(at)
	r.want("shutdown", r.Shutdown(s, unix.SHUT_RDWR), 0)
	r.polls(s, "IN|OUT|HUP|RDHUP")
	r.polls(c, "IN|OUT|RDHUP")
	r.writes(c, "x", 1, 0)
	r.polls(s, "IN|OUT|ERR|HUP|RDHUP")
	r.polls(c, "IN|OUT|ERR|HUP|RDHUP")
	r.reads(s, "", unix.ECONNRESET)
	r.writes(c, "x", 0, unix.EPIPE)
}

func TestReadingSideShut(t *testing.T) {
	r := newRig(t, Options{})
	c, s := r.pair(at)
	r.Shutdown(s, unix.SHUT_RD)
	r.reads(s, "", 0)
	r.writes(c, "x", 1, 0)
	r.reads(s, "x", 0)
	r.reads(s, "", 0)
}

func TestConnectAfterAResetForgetsTheConnection(t *testing.T) {
	r := newRig(t, Options{})
	l := r.listening(at, 5)
	c := r.stream(at)
	r.want("connect", r.Connect(c, at), unix.EINPROGRESS)
	s, _, _ := r.Accept(l)
	r.writes(s, "data", 4, 0)
	r.SetOption(s, unix.SOL_SOCKET, unix.SO_LINGER, 0)
	r.Close(s)
	r.want("connect", r.Connect(c, at), unix.ECONNRESET)
	r.reads(c, "", unix.ENOTCONN)
	r.want("connect", r.Connect(c, at), unix.EINPROGRESS)
	r.want("connect", r.Connect(c, at), 0)
	s, _, _ = r.Accept(l)
	r.writes(s, "new", 3, 0)
	r.reads(c, "new", 0)
}

func TestClosingAConnectingSocket(t *testing.T) {
	for steps := range 4 {
		r := newRig(t, Options{Delayed: true})
		l := r.listening(at, 5)
		c := r.stream(at)
		r.Connect(c, at)
		for range steps {
			r.kernel.Step()
		}
		r.Close(c)
		r.run()
		if s, _, e := r.Accept(l); e == 0 {
			r.reads(s, "", 0)
		} else {
			r.want("accept", e, unix.EAGAIN)
		}
	}
}
