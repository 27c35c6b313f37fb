//go:build !simulation

package relay

import (
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// TestSignalsStopNoFlow: splice(2) returns early when a signal is pending, and the Go runtime
// sends SIGURG to preempt goroutines. A flow that takes a short splice for a full target would
// wait forever, because no event follows.
func TestSignalsStopNoFlow(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	from, to, aside := newLink(t), newLink(t), newLink(t)
	defer to.peer.Close()
	s := NewStock(DefaultSizes(), budgetsOf(64<<20), 1, 1)
	defer s.Close()
	const pieces, size = 128 << 10, 1 << 10
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		sendApart(from, aside, pieces, size)
	}()
	arrived := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, to.peer)
		arrived <- n
	}()
	stop := interruptThread()
	ended := pumpByEvents(t, s, from.fd, to.fd)
	stop()
	sock.ShutdownWrite(to.fd)
	if n := <-arrived; n != pieces*size || !ended {
		t.Errorf("%d bytes arrived; want %d", n, pieces*size)
	}
	from.peer.Close()
	<-sent
}

// sendApart sends small pieces that are not adjacent in memory, because pieces of another
// connection lie between them. So a pipe holds many of them, and one splice takes many steps.
func sendApart(to, aside link, pieces, size int) {
	runtime.LockOSThread() // the kernel allocates the memory of sent bytes per thread
	defer runtime.UnlockOSThread()
	defer to.peer.Close()
	defer aside.peer.Close()
	piece, sink := make([]byte, size), make([]byte, 64<<10)
	for range pieces {
		if _, err := to.peer.Write(piece); err != nil {
			return
		}
		_, _ = aside.peer.Write(piece[:64])
		_, _ = sock.Read(aside.fd, sink)
	}
}

// interruptThread sends signals to the calling thread until stop is called.
func interruptThread() (stop func()) {
	pid, thread := unix.Getpid(), unix.Gettid()
	var over atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !over.Load() {
			_ = unix.Tgkill(pid, thread, unix.SIGURG)
		}
	}()
	return func() { over.Store(true); <-done }
}

// pumpByEvents drives a flow as a loop does: an edge-triggered event announces once that a
// socket is ready. It reports whether the flow reached its end.
func pumpByEvents(t *testing.T, s *Stock, src, dst int) bool {
	t.Helper()
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer sock.Close(epoll)
	for fd, flag := range map[int]uint32{src: unix.EPOLLIN | unix.EPOLLRDHUP, dst: unix.EPOLLOUT} {
		event := &unix.EpollEvent{Fd: int32(fd), Events: flag | unix.EPOLLET}
		if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, event); err != nil {
			t.Fatal(err)
		}
	}
	f := &Flow{}
	defer s.Release(f)
	events := make([]unix.EpollEvent, 2)
	for last := time.Now(); ; {
		switch out, e := s.Pump(f, src, dst, 1<<20); out {
		case Ended:
			return true
		case SourceFailed, TargetFailed:
			t.Errorf("outcome %d: %v", out, e)
			return false
		}
		n, _ := unix.EpollWait(epoll, events, 0)
		if n > 0 {
			last = time.Now()
		}
		for _, event := range events[:max(n, 0)] {
			switch {
			case int(event.Fd) == dst:
				f.Set(TargetReady)
			case event.Events&unix.EPOLLRDHUP != 0:
				f.Set(SourceReady | SourceClosing)
			default:
				f.Set(SourceReady)
			}
		}
		if time.Since(last) > 5*time.Second {
			t.Errorf("no event comes after %d bytes, and %d wait", f.Bytes, f.Pending())
			return false
		}
	}
}
