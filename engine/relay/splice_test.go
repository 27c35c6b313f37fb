//go:build !simulation

package relay

import (
	"io"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// stalled returns a flow of size bytes between two links, whose receiver reads nothing, so that the
// flow waits for it.
func stalled(t *testing.T, s *Stock, from, to link, size int) *Flow {
	t.Helper()
	go func() {
		_, _ = from.peer.Write(make([]byte, size))
		from.peer.Close()
	}()
	f := &Flow{}
	f.Set(TargetReady)
	for f.Has(TargetReady) {
		waitFor(t, from.fd, unix.POLLIN)
		f.Set(SourceReady)
		if out, e := s.Pump(f, from.fd, to.fd, size); e != 0 {
			t.Fatalf("outcome %d: %v", out, e)
		}
	}
	return f
}

// TestPipeOutlivesPauses: a flow that waits with bytes in its pipe moves no bytes for many
// rounds. These rounds must not count as rounds with little to move. Else the flow would go
// back to copying while it still has the pipe.
func TestPipeOutlivesPauses(t *testing.T) {
	from, to := newLink(t), newLink(t)
	defer to.peer.Close()
	s := NewStock(DefaultSizes(), budgetsOf(64<<20), 1, 1)
	defer s.Close()
	const size = 16 << 20
	f := stalled(t, s, from, to, size)
	if !f.Splicing() || f.Pending() == 0 {
		t.Fatalf("splicing: %v, %d bytes wait; want some in a pipe", f.Splicing(), f.Pending())
	}
	for range 2 * quietLimit {
		if out, e := s.Pump(f, from.fd, to.fd, size); out != Wait || e != 0 {
			t.Fatalf("a blocked flow gives outcome %d: %v", out, e)
		}
	}
	if !f.Splicing() {
		t.Error("the flow has gone back to copying with bytes in its pipe")
	}
	done := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, to.peer)
		done <- n
	}()
	f.Set(SourceReady)
	pumpAll(t, s, f, from.fd, to.fd)
	sock.ShutdownWrite(to.fd)
	if n := <-done; n != size {
		t.Errorf("%d bytes arrived; want %d", n, size)
	}
}

// TestPipeEndsWithFlush: a flow is flushed between a body that was spliced and bytes that are
// examined. After the flush it can hold bytes again, whatever the target accepts.
func TestPipeEndsWithFlush(t *testing.T) {
	from, to := newLink(t), newLink(t)
	defer to.peer.Close()
	s := NewStock(DefaultSizes(), budgetsOf(64<<20), 1, 1)
	defer s.Close()
	go func() {
		_, _ = from.peer.Write(make([]byte, 16<<20))
		from.peer.Close()
	}()
	f := &Flow{}
	f.Set(TargetReady)
	for f.Has(TargetReady) {
		waitFor(t, from.fd, unix.POLLIN)
		f.Set(SourceReady)
		_, _ = s.Pump(f, from.fd, to.fd, 16<<20)
	}
	if f.store <= 0 {
		t.Fatal("nothing waits in a pipe")
	}
	go func() { _, _ = io.Copy(io.Discard, to.peer) }()
	for f.Pending() > 0 {
		waitFor(t, to.fd, unix.POLLOUT)
		f.Set(TargetReady)
		if e := s.Flush(f, to.fd); e != 0 {
			t.Fatal(e)
		}
	}
	s.Hold(f, []byte("more"))
	if got := string(s.Held(f)); got != "more" {
		t.Errorf("%q is held", got)
	}
	s.Release(f)
}

// TestLimitPipes: a lower maximum closes spare pipes at once, and a borrowed one when its flow returns
// it. The flow goes on meanwhile. A higher maximum allows pipes again.
func TestLimitPipes(t *testing.T) {
	from, to := newLink(t), newLink(t)
	defer to.peer.Close()
	s := NewStock(DefaultSizes(), budgetsOf(64<<20), 4, 4)
	defer s.Close()
	const size = 16 << 20
	f := stalled(t, s, from, to, size)
	if !f.Splicing() || f.store <= 0 {
		t.Fatal("the flow has no pipe")
	}
	pipes := func(want int) {
		t.Helper()
		open := 0
		for _, p := range s.pipes.all {
			if _, e := sock.PipeSize(int(p.w)); p.r >= 0 && e == 0 {
				open++
			}
		}
		if open != want || s.pipes.count != want {
			t.Errorf("%d pipes are open, %d are counted; want %d", open, s.pipes.count, want)
		}
	}
	pipes(4)
	s.LimitPipes(0)
	pipes(1)
	done := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, to.peer)
		done <- n
	}()
	f.Set(SourceReady)
	pumpAll(t, s, f, from.fd, to.fd)
	sock.ShutdownWrite(to.fd)
	if n := <-done; n != size {
		t.Errorf("%d bytes arrived; want %d", n, size)
	}
	pipes(0)
	s.LimitPipes(2)
	for range 3 {
		s.pipes.get()
	}
	pipes(2)
	if n := len(s.pipes.all); n != 4 {
		t.Errorf("%d numbers of pipes; want those of before", n)
	}
}
