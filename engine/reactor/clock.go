package reactor

import (
	"fmt"
	"os"
	"time"

	"sluice/engine/sock"
	"sluice/engine/wheel"
)

// clock is the set of timers of a Reactor. When the time of a timer has come, clock calls the
// function in its field fire, with the number of that timer. It has a timing wheel and a timerfd.
// The timerfd is armed for the next entry of the wheel, and disarmed while the wheel is empty.
type clock struct {
	fd    int            // the timerfd
	wheel *wheel.Wheel   // nil: not opened
	fire  func(id int32) // called with the number of each timer that is due
	next  int64          // time when the timerfd fires, ms of stat.Now; 0: it is disarmed
}

// open makes the timers 0 to timers-1. now is the time in ms of stat.Now. The caller must call
// close even if open fails.
func (c *clock) open(timers int, now int64) (err error) {
	if c.wheel, err = wheel.New(timers, now); err != nil {
		return fmt.Errorf("memory for %d timers: %w", timers, err)
	}
	var e sock.Errno
	if c.fd, e = sock.Timer(); e != 0 {
		c.fd = -1
		return os.NewSyscallError("timerfd_create", e)
	}
	return nil
}

func (c *clock) close() {
	if c.fd >= 0 {
		sock.Close(c.fd)
	}
	if c.wheel != nil {
		c.wheel.Close()
	}
}

// Arm makes the timer with number id fire at the time at, in ms of stat.Now. If the timer is armed
// for an earlier time, it still fires at that earlier time.
func (r *Reactor) Arm(id int32, at int64) { r.clock.arm(id, at, r.now) }

// Disarm disarms the timer with number id. It does nothing if the timer is not armed.
func (r *Reactor) Disarm(id int32) { r.clock.wheel.Cancel(id) }

func (c *clock) arm(id int32, at, now int64) {
	c.wheel.Arm(id, at)
	if c.next == 0 || at < c.next {
		c.set(at, now)
	}
}

// ring calls fire for every entry that is due, and arms the timerfd for the next one.
func (c *clock) ring(now int64) {
	c.next = 0
	c.wheel.Expire(now, c.fire)
	if at, some := c.wheel.Next(); some && (c.next == 0 || at < c.next) {
		c.set(at, now)
	}
}

// set arms the timerfd. The timerfd is registered edge-triggered and never read; setting it
// clears its count. One tick is added, because the wheel fires an entry in the first tick that
// begins after the entry's time.
func (c *clock) set(at, now int64) {
	c.next = max(at, now+1)
	sock.SetTimer(c.fd, time.Duration(c.next-now+wheel.Tick)*time.Millisecond)
}
