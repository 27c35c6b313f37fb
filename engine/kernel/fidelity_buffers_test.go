package kernel_test

import (
	"time"

	"golang.org/x/sys/unix"
)

// Linux counts the memory of bytes and not their number, and opens the window of a receiver late. So it
// chooses how many bytes a full connection takes, and how many of them are with the receiver. When a
// connection of the real kernel is full, the model gets buffers of the size that makes it as full.

// plenty is the size of a buffer that is never full.
const plenty = 1 << 30

// settle waits until the real kernel has done its part of a step. If a connection was full in the
// sequence, no bytes arrive in the model during the step.
func (d *duel) settle(s step) {
	if d.waiting() || d.crowded {
		d.freeze(s)
	}
}

func (d *duel) freeze(s step) {
	d.crowded = true
	d.allow(size)
	for fd, k := range d.open {
		switch k {
		case tcpKind:
			stuck, _ := d.machine.Unsent(fd)
			d.process.Freeze(fd, stuck > 0 || fd == d.active && (s.sends() || s.do == aClose))
		case unixKind:
			d.thawUnix(fd)
		}
	}
}

// waiting reports whether bytes of a connection wait for the window of the receiver to open, or for a
// second try because the receiver had no memory for them. It first lets everything arrive that can. A
// poll before would make the real kernel announce space later.
func (d *duel) waiting() bool {
	waiting := false
	for begin, tries := time.Now(), 0; time.Since(begin) < patience; tries++ {
		moving := false
		waiting = false
		for fd, k := range d.open {
			if k == tcpKind {
				unacked, unsent := d.machine.underWay(fd)
				moving, waiting = moving || unacked, waiting || unsent
				waiting = waiting || d.machine.closedWindow(fd)
			}
		}
		if !moving {
			return waiting
		}
		d.nudge(tries)
	}
	return true
}

// thaw lets as many bytes arrive as have arrived on the real kernel.
func (d *duel) thaw() {
	if !d.crowded {
		return
	}
	for fd, k := range d.open {
		switch k {
		case tcpKind:
			d.thawOne(fd)
		case unixKind:
			d.thawUnix(fd)
		}
	}
	d.provokeReset()
}

// thawOne is thaw for one direction of a connection, or for both if the sender was closed.
func (d *duel) thawOne(fd int) {
	left, _ := d.machine.Unsent(fd)
	full := d.machine.isFull(fd)
	if full {
		d.process.SetSend(fd, left)
	}
	d.process.Deliver(fd, left)
	if !full {
		d.process.SetSend(fd, plenty)
	}
	if d.process.Orphaned(fd) {
		info, _ := d.machine.Info(fd)
		d.process.Arrive(fd, info.Received)
	}
}

// thawUnix makes a UNIX socket full if the real one is. Its bytes are with the peer at once.
func (d *duel) thawUnix(fd int) {
	if d.machine.Poll(fd)&unix.EPOLLOUT == 0 {
		d.process.SetSend(fd, d.process.Queued(fd))
	} else {
		d.process.SetSend(fd, plenty)
	}
}

// mayHaveSpace reports whether the real kernel may announce space of a socket where the model does not.
// When a FIN is put behind the bytes of a full socket, Linux may need less memory for them, and announces
// that only with the next acknowledgement. A socket may be full in the middle of a splice.
func (d *duel) mayHaveSpace(fd int) bool {
	return d.crowded && d.process.Finishes(fd) || d.splicedTo[fd]
}

// announceSpace announces space where the real kernel has an event and the model has none.
func (d *duel) announceSpace(epoll int) {
	if d.blind || d.machine.Poll(epoll) == 0 || d.process.Poll(epoll) != 0 {
		return
	}
	for fd, k := range d.open {
		if k == tcpKind && d.mayHaveSpace(fd) {
			d.process.Space(fd)
			d.allow(size)
		}
	}
}

// announceTo is announceSpace for events that a wait has returned.
func (d *duel) announceTo(events []unix.EpollEvent) {
	for _, ev := range events {
		if fd := d.real.fds[ev.Fd]; fd >= 0 && ev.Events&unix.EPOLLOUT != 0 && d.mayHaveSpace(fd) {
			d.process.Space(fd)
		}
	}
	clear(d.splicedTo)
}

// provokeReset delivers bytes that caused a reset: they count as not acknowledged for ever.
func (d *duel) provokeReset() {
	for i := range d.open {
		fd := (d.active + i) % len(d.open)
		if d.open[fd] == tcpKind && d.machine.isClosed(fd) && !d.process.Closed(fd) {
			d.process.Deliver(fd, 0)
			if d.process.Orphaned(fd) {
				d.process.Arrive(fd, plenty)
			}
		}
	}
}

// release lets the bytes go that MSG_MORE has held back in the model and not in the real kernel.
func (d *duel) release() {
	for fd, k := range d.open {
		if k == tcpKind && d.process.Release(fd, d.machine.held(fd)) {
			d.allow(cork)
		}
	}
}

// guideSend makes the model take as many bytes as the real kernel took.
func (d *duel) guideSend(s step, fd int, want outcome) {
	taken := max(want.n, 0)
	short := want.e == unix.EAGAIN && !d.machine.connects(fd) || want.e == 0 && taken < s.n
	if s.do == aSplice {
		short = short && d.machine.Poll(d.real.fds[s.a])&unix.EPOLLIN != 0 // bytes are left in the pipe
	}
	full := want.e == 0 && d.open[fd] == unixKind && d.machine.Poll(fd)&unix.EPOLLOUT == 0
	if short || full {
		d.freeze(s)
	}
	switch {
	case short:
		d.process.Take(fd, taken, true)
	case d.crowded:
		d.process.Take(fd, taken, false)
	}
}
