package kernel

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// chat is one direction of a random conversation: what was written and what was read.
type chat struct {
	from, to      int
	written, read []byte
	shut, end     bool
	broken        Errno
}

// act writes, reads, or ends the direction.
func (d *chat) act(r *rig, choice *rand.Rand) {
	b := make([]byte, 1+choice.IntN(300))
	switch choice.IntN(12) {
	case 0:
		d.shut = d.shut || r.Shutdown(d.from, unix.SHUT_WR) == 0
	case 1, 2, 3, 4, 5:
		for i := range b {
			b[i] = byte(len(d.written) + i)
		}
		n, e := r.Send(d.from, b, choice.IntN(2)*unix.MSG_MORE, Address{})
		if e == 0 {
			d.written = append(d.written, b[:n]...)
		} else if e != unix.EAGAIN && !d.shut {
			d.broken = e
		}
	default:
		d.receive(r, b)
	}
}

func (d *chat) receive(r *rig, b []byte) {
	n, e := r.Read(d.to, b)
	switch {
	case e == 0 && n == 0:
		d.end = true
	case e == 0:
		d.read = append(d.read, b[:n]...)
	case e != unix.EAGAIN:
		d.broken = e
	}
}

// consistent checks what must hold between the numbers of a socket.
func (r *rig) consistent(fd int) {
	r.t.Helper()
	s := r.files[fd].(*tcp)
	o := &s.out
	if o.acked > o.arrived || o.arrived > o.sent || o.sent > o.written {
		r.t.Fatalf("acknowledged %d, arrived %d, sent %d, written %d", o.acked, o.arrived, o.sent, o.written)
	}
	if s.state != closed && uint64(o.n) != o.end()-min(o.arrived, o.end()) {
		r.t.Fatalf("%d bytes under way; want %d", o.n, o.end()-o.arrived)
	}
	if left := int(s.received - s.consumed); left != s.in.n && !(s.done && left == s.in.n+1) {
		r.t.Fatalf("%d bytes in the receive queue; want %d", s.in.n, left)
	}
	if s.in.n > s.option.receive {
		r.t.Fatalf("%d bytes in a receive buffer of %d", s.in.n, s.option.receive)
	}
	if (s.index >= 0) != (s.actions() != 0) {
		r.t.Fatal("the list of pending sockets is wrong")
	}
}

// converse lets both ends of a connection act at random, and then reads everything.
func converse(t *testing.T, seed uint64, trace func(*Process, string)) []*chat {
	t.Helper()
	choice := rand.New(rand.NewPCG(seed, 0))
	size := func() (int, int) { return 1 + choice.IntN(500), 1 + choice.IntN(500) }
	r := newRig(t, Options{Seed: seed, Delayed: choice.IntN(4) > 0, Buffers: size, Trace: trace})
	c, s := r.pair(at)
	chats := []*chat{{from: c, to: s}, {from: s, to: c}}
	for range choice.IntN(100) {
		chats[choice.IntN(2)].act(r, choice)
		for range choice.IntN(3) {
			r.kernel.Step()
		}
		r.consistent(c)
		r.consistent(s)
	}
	for _, d := range chats {
		if !d.shut {
			r.Shutdown(d.from, unix.SHUT_WR)
		}
	}
	for range 2000 {
		chats[0].receive(r, make([]byte, 100))
		chats[1].receive(r, make([]byte, 100))
		r.kernel.Step()
	}
	if r.kernel.Pending() != 0 {
		t.Fatalf("seed %d: the network does not come to rest", seed)
	}
	return chats
}

// TestRandomConversations: what is read is what was written, and all of it in the end.
func TestRandomConversations(t *testing.T) {
	for seed := range uint64(3000) {
		for _, d := range converse(t, seed, nil) {
			if !d.end || d.broken != 0 || !bytes.Equal(d.written, d.read) {
				t.Fatalf("seed %d: wrote %d bytes, read %d, end %v, error %v", seed, len(d.written), len(d.read), d.end, d.broken)
			}
		}
	}
}

func TestSeedReproducesAConversation(t *testing.T) {
	var runs [2][]string
	for i := range runs {
		converse(t, 7, func(_ *Process, line string) { runs[i] = append(runs[i], line) })
	}
	if !slices.Equal(runs[0], runs[1]) {
		t.Error("two runs with one seed differ")
	}
}
