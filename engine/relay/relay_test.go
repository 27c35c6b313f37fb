//go:build !simulation

package relay

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random tests")

// budgetsOf returns budgets with this limit in bytes for each purpose.
func budgetsOf(limit int64) (b Budgets) {
	for i := range b {
		b[i] = NewBudget(limit, 0)
	}
	return b
}

// link is a connection: a raw descriptor for the relay, and a
// net.Conn for the peer that drives it.
type link struct {
	peer net.Conn
	fd   int
}

// newLink returns a TCP connection on the loopback.
func newLink(t *testing.T) link {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	inner, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return link{peer: peer, fd: rawFD(t, inner)}
}

// rawFD duplicates the descriptor and closes the connection in the Go runtime, which then does
// not use it any more.
func rawFD(t *testing.T, c net.Conn) int {
	t.Helper()
	f, err := c.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	fd, err := unix.Dup(int(f.Fd()))
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sock.Close(fd) })
	return fd
}

// pumpAll drives one flow to its end with poll(2), as a loop would by events.
func pumpAll(t *testing.T, s *Stock, f *Flow, src, dst int) {
	t.Helper()
	for {
		out, e := s.Pump(f, src, dst, 1<<20)
		switch out {
		case Ended:
			sock.ShutdownWrite(dst)
			return
		case SourceFailed, TargetFailed:
			t.Errorf("outcome %d: %v", out, e)
			return
		case Again:
			continue
		}
		fds := []unix.PollFd{{Fd: int32(src)}, {Fd: int32(dst)}}
		if !f.Has(SourceReady) {
			fds[0].Events = unix.POLLIN
		}
		if !f.Has(TargetReady) {
			fds[1].Events = unix.POLLOUT
		}
		if _, err := unix.Poll(fds, 10000); err != nil && err != unix.EINTR {
			t.Error(err)
			return
		}
		if fds[0].Revents != 0 {
			f.Set(SourceReady)
		}
		if fds[1].Revents != 0 {
			f.Set(TargetReady)
		}
	}
}

// transfer sends size random bytes through a flow in chunks of random sizes
// and checks what arrives.
func transfer(t *testing.T, s *Stock, size int, shrink bool) *Flow {
	t.Helper()
	from, to := newLink(t), newLink(t)
	if shrink {
		_ = unix.SetsockoptInt(to.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 4096)
	}
	rng := rand.New(rand.NewPCG(*seed, uint64(size)))
	want := sha256.New()
	go func() {
		chunk := make([]byte, 300<<10)
		for left := size; left > 0; {
			n := min(left, 1+rng.IntN(1<<rng.IntN(19)))
			for i := range n {
				chunk[i] = byte(rng.Uint32())
			}
			want.Write(chunk[:n])
			if _, err := from.peer.Write(chunk[:n]); err != nil {
				t.Error(err)
				return
			}
			left -= n
		}
		from.peer.Close()
	}()
	f := &Flow{}
	f.Set(TargetReady)
	done := make(chan struct{})
	go func() {
		defer close(done)
		pumpAll(t, s, f, from.fd, to.fd)
	}()
	got := sha256.New()
	n, err := io.Copy(got, to.peer)
	<-done
	to.peer.Close()
	if err != nil || n != int64(size) || !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
		t.Errorf("seed %d: %d of %d bytes arrived, error %v, same content: %v",
			*seed, n, size, err, bytes.Equal(got.Sum(nil), want.Sum(nil)))
	}
	if f.Bytes != uint64(size) || f.Pending() != 0 {
		t.Errorf("the flow counted %d bytes, %d pending; want %d and none", f.Bytes, f.Pending(), size)
	}
	return f
}

func TestBytesArriveUnchanged(t *testing.T) {
	cases := []struct {
		name   string
		budget int64
		pipes  int
		shrink bool
	}{
		{"copy and splice", 64 << 20, 4, false},
		{"copy only", 64 << 20, 0, false},
		{"partial writes", 64 << 20, 4, true},
		{"partial writes, copy only", 64 << 20, 0, true},
		{"budget used up", 0, 4, false},
		{"budget used up, partial writes", 0, 4, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			budgets := budgetsOf(c.budget)
			s := NewStock(DefaultSizes(), budgets, c.pipes, min(c.pipes, 1))
			defer s.Close()
			size := 24 << 20
			if c.shrink {
				size = 4 << 20
			}
			transfer(t, s, size, c.shrink)
			if budgets.Used() != 0 {
				t.Errorf("%d bytes of the budget are still in use", budgets.Used())
			}
		})
	}
}

// TestStalledReaderHoldsLittle: a flow stops reading when its target accepts nothing, and its
// release returns all bytes to the budget.
func TestStalledReaderHoldsLittle(t *testing.T) {
	for _, pipes := range []int{0, 2} {
		budgets := budgetsOf(64 << 20)
		s := NewStock(DefaultSizes(), budgets, pipes, 0)
		from, to := newLink(t), newLink(t)
		defer from.peer.Close()
		defer to.peer.Close()
		_ = from.peer.SetWriteDeadline(time.Now().Add(time.Minute))
		go func() {
			junk := make([]byte, 1<<20)
			for {
				if _, err := from.peer.Write(junk); err != nil {
					return
				}
			}
		}()
		f := &Flow{}
		f.Set(SourceReady | TargetReady)
		for f.Has(TargetReady) {
			f.Set(SourceReady)
			if out, e := s.Pump(f, from.fd, to.fd, 1<<20); e != 0 {
				t.Fatalf("outcome %d: %v", out, e)
			}
		}
		if used := budgets.Used(); used == 0 || used > PipeSize {
			t.Errorf("%d pipes: %d bytes held; want some, and at most %d", pipes, used, PipeSize)
		}
		before := f.Bytes
		f.Set(SourceReady)
		if out, _ := s.Pump(f, from.fd, to.fd, 1<<20); out != Wait || f.Bytes != before {
			t.Errorf("%d pipes: a blocked flow went on: outcome %d", pipes, out)
		}
		s.Release(f)
		if budgets.Used() != 0 {
			t.Errorf("%d pipes: %d bytes in use after release", pipes, budgets.Used())
		}
		s.Close()
	}
}

func TestHoldKeepsTheOrder(t *testing.T) {
	budgets := budgetsOf(64 << 20)
	s := NewStock(DefaultSizes(), budgets, 0, 0)
	var f Flow
	var want []byte
	for i := range 20000 {
		piece := bytes.Repeat([]byte{byte(i)}, 1+i%7)
		want = append(want, piece...)
		s.Hold(&f, piece)
	}
	if !bytes.Equal(s.Held(&f), want) {
		t.Error("held bytes differ from what was given")
	}
	s.Release(&f)
	if budgets.Used() != 0 || f.Pending() != 0 || s.Held(&f) != nil {
		t.Errorf("after release: %d in use, %d pending", budgets.Used(), f.Pending())
	}
}

// TestUrgentMark: a read stops before an urgent byte. So a short read does not prove that the
// source has ended, even after FIN.
func TestUrgentMark(t *testing.T) {
	from, to := newLink(t), newLink(t)
	sender := rawFD(t, from.peer)
	for _, piece := range []struct {
		text  string
		flags int
	}{{"before", 0}, {"!", unix.MSG_OOB}, {"after", 0}} {
		if err := unix.Sendto(sender, []byte(piece.text), piece.flags, nil); err != nil {
			t.Fatal(err)
		}
	}
	sock.ShutdownWrite(sender)
	waitFor(t, from.fd, unix.POLLRDHUP)
	s := NewStock(DefaultSizes(), budgetsOf(1<<20), 0, 0)
	f := &Flow{}
	f.Set(SourceReady | SourceClosing | SourceExact | TargetReady)
	if out, e := s.Pump(f, from.fd, to.fd, 1<<20); out != Ended || e != 0 {
		t.Errorf("outcome %d, %v; want the end", out, e)
	}
	sock.ShutdownWrite(to.fd)
	got, _ := io.ReadAll(to.peer)
	to.peer.Close()
	if string(got) != "beforeafter" {
		t.Errorf("%q arrived; want everything but the urgent byte", got)
	}
}

// TestUrgentByteAtTheEnd: an urgent byte right before FIN is taken, although a peek passes it. To close
// the socket with an unread byte would send a reset instead of FIN.
func TestUrgentByteAtTheEnd(t *testing.T) {
	for _, budget := range []int64{1 << 20, 0} {
		from, to := newLink(t), newLink(t)
		sender := rawFD(t, from.peer)
		for _, flags := range []int{0, unix.MSG_OOB} {
			if err := unix.Sendto(sender, []byte("!"), flags, nil); err != nil {
				t.Fatal(err)
			}
		}
		sock.ShutdownWrite(sender)
		waitFor(t, from.fd, unix.POLLRDHUP)
		s := NewStock(DefaultSizes(), budgetsOf(budget), 0, 0)
		f := &Flow{}
		f.Set(SourceReady | SourceClosing | TargetReady)
		f.Urgent()
		if out, e := s.Pump(f, from.fd, to.fd, 1<<20); out != Ended || e != 0 {
			t.Errorf("outcome %d, %v; want the end", out, e)
		}
		sock.Close(from.fd)
		waitFor(t, sender, unix.POLLIN)
		if n, e := sock.Read(sender, s.Buffer); n != 0 || e != 0 {
			t.Errorf("with a budget of %d, the sender gets %d bytes, %v; want the end", budget, n, e)
		}
		to.peer.Close()
	}
}

func waitFor(t *testing.T, fd int, events int16) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
	if n, err := unix.Poll(fds, 10000); n != 1 {
		t.Fatalf("no event: %v", err)
	}
}

func TestPumpAllocatesNothing(t *testing.T) {
	from, to := newLink(t), newLink(t)
	defer from.peer.Close()
	defer to.peer.Close()
	s := NewStock(DefaultSizes(), budgetsOf(1<<20), 2, 1)
	defer s.Close()
	f := &Flow{}
	message, answer := make([]byte, 1000), make([]byte, 1000)
	if n := testing.AllocsPerRun(200, func() {
		_, _ = from.peer.Write(message)
		f.Set(SourceReady | TargetReady)
		s.Pump(f, from.fd, to.fd, 1<<20)
		_, _ = io.ReadFull(to.peer, answer)
	}); n != 0 {
		t.Errorf("%v allocations a round; want none", n)
	}
}

func BenchmarkPump(b *testing.B) {
	t := &testing.T{}
	from, to := newLink(t), newLink(t)
	defer from.peer.Close()
	defer to.peer.Close()
	s := NewStock(DefaultSizes(), budgetsOf(1<<20), 2, 1)
	f := &Flow{}
	message, answer := make([]byte, 1000), make([]byte, 1000)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = from.peer.Write(message)
		f.Set(SourceReady | TargetReady)
		s.Pump(f, from.fd, to.fd, 1<<20)
		_, _ = io.ReadFull(to.peer, answer)
	}
}

// TestPumpUpTo: a pump takes exactly the requested number of bytes by copy, by splice and with
// the budget used up. The bytes after them stay in the socket.
func TestPumpUpTo(t *testing.T) {
	for _, budget := range []int64{64 << 20, 0} {
		for _, most := range []int64{1, 1000, BufferSize, BufferSize + 1, 3 << 20} {
			from, to := newLink(t), newLink(t)
			s := NewStock(DefaultSizes(), budgetsOf(budget), 2, 1)
			go func() {
				_, _ = from.peer.Write(make([]byte, most))
				_, _ = from.peer.Write([]byte("rest"))
				_ = from.peer.(*net.TCPConn).CloseWrite()
			}()
			f := &Flow{}
			f.Set(TargetReady)
			got := make(chan int64)
			go func() {
				n, _ := io.CopyN(io.Discard, to.peer, most)
				got <- n
			}()
			for left := most; ; {
				waitFor(t, from.fd, unix.POLLIN)
				f.Set(SourceReady | TargetReady)
				taken, out, e := s.PumpUpTo(f, from.fd, to.fd, 1<<20, left)
				left -= taken
				if out == Reached {
					break
				}
				if out != Wait && out != Again || e != 0 || left < 0 {
					t.Fatalf("outcome %d, %v with %d of %d left", out, e, left, most)
				}
			}
			if n := <-got; n != most || f.Bytes != uint64(most) {
				t.Errorf("%d bytes arrived, %d counted; want %d", n, f.Bytes, most)
			}
			rest := make([]byte, 10)
			waitFor(t, from.fd, unix.POLLRDHUP)
			if n, _ := sock.Read(from.fd, rest); string(rest[:n]) != "rest" {
				t.Errorf("%q is left; want the rest", rest[:n])
			}
			from.peer.Close()
			to.peer.Close()
			s.Close()
		}
	}
}
