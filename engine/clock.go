package engine

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/wheel"
)

// clock rings at the deadlines of a loop's sessions: a wheel, and a timerfd
// that is armed for the wheel's next entry and not at all while it is empty.
// Loop-owned.
type clock struct {
	fd    int
	wheel *wheel.Wheel
	next  int64 // when the timerfd fires, ms; 0: it is not armed
}

func newClock(w *wheel.Wheel) (clock, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	return clock{fd: fd, wheel: w}, os.NewSyscallError("timerfd_create", err)
}

// arm has the entry ring at time at, or before, if it is to ring before.
func (c *clock) arm(id int32, at, now int64) {
	c.wheel.Arm(id, at)
	if c.next == 0 || at < c.next {
		c.set(at, now)
	}
}

// ring calls fire for every entry whose time has come.
func (c *clock) ring(now int64, fire func(id int32)) {
	c.next = 0
	c.wheel.Expire(now, fire)
	if at, some := c.wheel.Next(); some && (c.next == 0 || at < c.next) {
		c.set(at, now)
	}
}

// set arms the timerfd. It is edge-triggered and never read: setting it anew
// clears what it has counted. A tick is added because the wheel fires an entry
// in the first tick that begins after its time.
func (c *clock) set(at, now int64) {
	c.next = max(at, now+1)
	in := time.Duration(c.next-now+wheel.Tick) * time.Millisecond
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(in.Nanoseconds())}
	_ = unix.TimerfdSettime(c.fd, 0, &spec, nil)
}

func (c *clock) close() { _ = unix.Close(c.fd) }
