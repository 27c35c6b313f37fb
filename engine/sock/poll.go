package sock

import (
	"time"

	"golang.org/x/sys/unix"
)

// EpollWait waits for events, at most ms milliseconds, and returns their number; 0 ms: it does not
// wait. The Go scheduler does not know that the thread is blocked, so ms must be small.
func EpollWait(epoll int, events []unix.EpollEvent, ms int) (int, Errno) {
	return rawWait(epoll, events, ms)
}

// EpollSleep waits for events without a time limit, and returns their number. Meanwhile, the Go
// scheduler may run other goroutines on the processor of the caller. A signal ends the wait with
// EINTR.
func EpollSleep(epoll int, events []unix.EpollEvent) (int, Errno) { return rawSleep(epoll, events) }

// EpollControl adds, changes or removes the registration of fd (epoll_ctl(2)). op is one of
// unix.EPOLL_CTL_ADD, MOD and DEL; for the last one ev is nil.
func EpollControl(epoll, op, fd int, ev *unix.EpollEvent) Errno { return rawControl(epoll, op, fd, ev) }

// Bell returns an eventfd. If it is registered edge-triggered, each call of Ring makes it report an
// event. So its counter need not be read.
func Bell() (int, Errno) { return rawBell() }

// Ring makes a bell report an event. It may be called from any goroutine.
func Ring(bell int) { rawRing(bell) }

// Timer returns a timerfd that is not armed.
func Timer() (int, Errno) { return rawTimer() }

// SetTimer arms a timerfd to fire once after this time, which must be above 0. It replaces the time
// set before and clears the count of expirations. So the timerfd need not be read.
func SetTimer(fd int, in time.Duration) { rawSetTimer(fd, in) }

// Pipe returns the two ends of a new pipe, which are non-blocking and close-on-exec.
func Pipe() (r, w int, e Errno) { return rawPipe() }

// ResizePipe asks for a pipe of size bytes, and returns the new size, which may be larger. EPERM
// means that size exceeds the user's limit.
func ResizePipe(fd, size int) (int, Errno) { return rawResizePipe(fd, size) }

// PipeSize returns the size of a pipe in bytes.
func PipeSize(fd int) (int, Errno) { return rawPipeSize(fd) }
