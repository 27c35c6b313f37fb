package kernel

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"
)

// timerfd is a timer that is a file (timerfd_create(2)).
type timerfd struct {
	references
	timer
	timers  *timers
	expired uint64 // how often the timer has expired since it was set or read
}

// Timerfd opens a non-blocking timerfd, which is disarmed.
func (p *Process) Timerfd() (int, Errno) {
	f := &timerfd{timers: &p.kernel.timers}
	f.timer = timer{index: -1, do: f.expire}
	return p.open(CallTimer, f)
}

// SetTimer arms a timerfd: it expires once when in has passed. 0 disarms it. Both set the number of
// expirations to 0. A negative time or another file gives EINVAL.
func (p *Process) SetTimer(fd int, in time.Duration) Errno {
	e := p.setTimer(fd, in)
	if p.traced() {
		p.trace("%s %d %v = %s", CallSetTimer, fd, in, outcome(0, e))
	}
	return e
}

func (p *Process) setTimer(fd int, in time.Duration) Errno {
	f, e := p.get(CallSetTimer, fd)
	if e != 0 {
		return e
	}
	t, ok := f.(*timerfd)
	if !ok || in < 0 {
		return unix.EINVAL
	}
	t.expired = 0
	t.timers.stop(&t.timer)
	if in > 0 {
		t.timers.start(&t.timer, p.kernel.now+in)
	}
	return 0
}

func (f *timerfd) expire() {
	f.expired++
	f.wake(unix.EPOLLIN)
}

func (f *timerfd) poll() uint32 {
	if f.expired > 0 {
		return unix.EPOLLIN
	}
	return 0
}

func (f *timerfd) release() { f.timers.stop(&f.timer) }

// read returns the number of expirations and sets it to 0 (timerfd_read). EAGAIN means none.
func (f *timerfd) read(b []byte) (int, Errno) {
	if len(b) < counterSize {
		return -1, unix.EINVAL
	}
	if f.expired == 0 {
		return -1, unix.EAGAIN
	}
	binary.NativeEndian.PutUint64(b, f.expired)
	f.expired = 0
	return counterSize, 0
}
