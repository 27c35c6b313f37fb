package kernel_test

import "golang.org/x/sys/unix"

// guide prepares the model for a step that the real kernel has made: it chooses the same where Linux
// may choose. It returns the step for the model.
func (d *duel) guide(s step, want outcome) step {
	switch s.do {
	case aConnect, aFastOpen:
		d.guideGroup()
	case aSplice:
		if k := d.kindOf(s.b); k == tcpKind || k == unixKind {
			d.guideSend(s, d.real.fds[s.b], want)
			return s
		}
		s = d.guideSplice(s, want)
	case aSend, aWrite:
		if k := d.kindOf(s.a); k == tcpKind || k == unixKind {
			d.guideSend(s, d.real.fds[s.a], want)
			return s
		}
		d.guidePipeWrite(s, want)
	case aOption:
		if s.flags == oSendBuffer || s.flags == oReceiveBuffer {
			s.n = plenty
		}
	case aWait:
		d.announceTo(want.events)
	case aPipeSize:
		d.guidePipeSize(s, want)
	}
	return s
}

// guideGroup tells the model which listening socket the connection went to.
func (d *duel) guideGroup() {
	chosen, listeners := -1, 0
	for fd, k := range d.open {
		if k != tcpKind {
			continue
		}
		want, _ := d.machine.Info(fd)
		got, _ := d.process.Info(fd)
		if _, e := d.process.Unsent(fd); e == unix.EINVAL {
			listeners++
		}
		if want.Queued > got.Queued {
			chosen = fd
		}
	}
	if listeners > 1 {
		d.allow(group)
	}
	d.process.Prefer(chosen)
}

// page is the size of a page. A free slot of a pipe lets a splice move as much.
const page = 4096

// guideSplice makes the model move as much into a pipe as the real kernel did. The real kernel may have
// moved less than there is, if the pipe is full now or the free slots were the limit.
func (d *duel) guideSplice(s step, want outcome) step {
	from, to := d.real.fds[s.a], d.real.fds[s.b]
	if d.kindOf(s.b) != pipeKind || want.n <= 0 || want.e != 0 {
		return s
	}
	full := d.machine.Poll(to)&unix.EPOLLOUT == 0
	if full || want.n%page == 0 {
		s.n = min(s.n, want.n)
	}
	if d.kindOf(s.a) == pipeKind {
		d.compact(from)
	} else {
		d.process.Join(from)
	}
	d.compact(to)
	return s
}

// loseError takes the error of a socket after a splice, if the splice of the real kernel has met it. The
// reset came while the splice moved bytes, so its result is their number.
func (d *duel) loseError() {
	fd := d.active
	if d.spliced && d.machine.isClosed(fd) && d.machine.Poll(fd)&unix.EPOLLERR == 0 && d.process.Poll(fd)&unix.EPOLLERR != 0 {
		d.process.TakeError(fd)
		d.allow(lost)
	}
}

// guidePipeWrite makes as many slots of a pipe free as the real kernel has filled.
func (d *duel) guidePipeWrite(s step, want outcome) {
	fd := d.real.fds[s.a]
	switch {
	case d.kindOf(s.a) != pipeKind:
	case want.n == s.n:
		d.compact(fd)
	case want.e == 0 || want.e == unix.EAGAIN:
		_, _, _, limit := d.process.Slots(fd)
		d.spread(fd, limit-max(want.n, 0)/page)
	}
}

// guidePipeSize makes as many slots in use as allow the real kernel's result.
func (d *duel) guidePipeSize(s step, want outcome) {
	fd := d.real.fds[s.a]
	switch {
	case d.kindOf(s.a) != pipeKind:
	case want.e == 0:
		d.compact(fd)
	case want.e == unix.EBUSY:
		used, _, _, limit := d.process.Slots(fd)
		d.spread(fd, min(limit, max(used, (s.n+page-1)/page+1)))
	}
}

// guidePipe makes a pipe full or not full, as the real one is.
func (d *duel) guidePipe(fd int) {
	full := d.machine.Poll(fd)&unix.EPOLLOUT == 0
	_, _, _, limit := d.process.Slots(fd)
	switch {
	case full == (d.process.Poll(fd)&unix.EPOLLOUT == 0):
	case full:
		d.spread(fd, limit)
	default:
		d.compact(fd)
	}
}

func (d *duel) compact(fd int) {
	if used, spliced, _, _ := d.process.Slots(fd); spliced > 1 {
		d.process.Compact(fd)
		if now, _, _, _ := d.process.Slots(fd); now != used {
			d.allow(fragments)
		}
	}
}

func (d *duel) spread(fd, n int) {
	if used, spliced, _, _ := d.process.Slots(fd); spliced > 0 && used < n {
		d.process.Spread(fd, n)
		d.allow(fragments)
	}
}
