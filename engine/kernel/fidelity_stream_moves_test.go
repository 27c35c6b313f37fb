package kernel_test

import "golang.org/x/sys/unix"

func (p *plan) send() {
	s := step{do: aSend, a: p.pick(stream), n: p.size()}
	if p.chance(8) {
		s.do = aWrite
	}
	p.add(s)
}

func (p *plan) sendMore() {
	a := p.pick(stream)
	p.add(step{do: aSend, a: a, n: p.size(), flags: unix.MSG_MORE})
	if p.chance(2) {
		p.add(step{do: aShutdown, a: a, n: unix.SHUT_WR})
	} else {
		p.add(step{do: aSend, a: a, n: p.size()})
	}
}

func (p *plan) sendUrgent() {
	p.add(step{do: aSend, a: p.pick(stream), n: 1 + p.size()%5, flags: unix.MSG_OOB})
}

func (p *plan) read() {
	s := step{do: aRead, a: p.pick(stream), n: p.room()}
	if p.chance(4) {
		s.do, s.flags = aRecv, oneOf(p, 0, unix.MSG_PEEK)
	}
	p.add(s)
}

func (p *plan) readUrgent() {
	p.add(step{do: aRecv, a: p.pick(stream), n: 1, flags: unix.MSG_OOB | oneOf(p, 0, 0, unix.MSG_PEEK)})
}

func (p *plan) shutdown() {
	p.add(step{do: aShutdown, a: p.pick(stream), n: oneOf(p, unix.SHUT_WR, unix.SHUT_WR, unix.SHUT_WR, unix.SHUT_RD, unix.SHUT_RDWR)})
}

func (p *plan) close() { p.closeSlot(p.pick(stream)) }

func (p *plan) closeSlot(a int) {
	p.add(step{do: aClose, a: a})
	p.what[a] = closed
}

func (p *plan) closeAny() {
	p.closeSlot(p.pick(stream, listener, fresh, epollFile, readEnd, writeEnd, eventFile, timerFile))
}

func (p *plan) reset() {
	a := p.pick(stream)
	p.add(step{do: aOption, a: a, flags: oLinger, n: 0})
	p.closeSlot(a)
}

func (p *plan) names() {
	p.add(step{do: oneOf(p, aLocal, aPeer, aUnsent, aInfo), a: p.pick(stream, listener, fresh)})
}

func (p *plan) dup() {
	from := p.pick(stream, listener)
	to := p.slot(p.what[from])
	p.add(step{do: aDup, a: from, b: to})
}

// misuse makes a call on a descriptor of the wrong kind, or one that was closed.
func (p *plan) misuse() {
	a := p.rng.IntN(slots)
	do := oneOf(p, aRead, aSend, aRecv, aClose, aListen, aAccept, aLocal, aPeer, aShutdown, aUnsent, aInfo, aWait, aTimer, aDup, aPipeSize, aPoll)
	switch do {
	case aClose:
		p.closeSlot(a)
	case aAccept, aDup:
		p.add(step{do: do, a: a, b: p.slot(stream)})
	case aTimer, aPipeSize:
		p.add(step{do: do, a: a})
	case aShutdown:
		p.add(step{do: do, a: a, n: unix.SHUT_WR})
	default:
		p.add(step{do: do, a: a, n: 1 + p.rng.IntN(10)})
	}
}

func (p *plan) inline() {
	p.add(step{do: aOption, a: p.pick(stream), flags: oInline, n: p.rng.IntN(2)})
}

func (p *plan) sendBig() {
	p.add(step{do: aSend, a: p.pick(stream), n: 1000 + p.rng.IntN(100000)})
}

func (p *plan) lowWater() {
	p.add(step{do: aOption, a: p.pick(stream), flags: oLowWater, n: oneOf(p, 0, 1, 5000)})
}

// waitForSpace fills a connection, reads from it, and waits for the event that it has space.
func (p *plan) waitForSpace() {
	a, ep := p.pick(stream), p.pick(epollFile)
	watch := step{do: oneOf(p, aAdd, aModify), a: ep, b: a, flags: unix.EPOLLOUT | edge, n: len(p.steps)}
	wait := step{do: aWait, a: ep, n: 50}
	if p.chance(2) {
		p.add(watch)
		p.add(wait)
	}
	for range 1 + p.rng.IntN(4) {
		p.add(step{do: aSend, a: a, n: 1 + p.rng.IntN(1<<(8+p.rng.IntN(10)))})
	}
	p.add(watch)
	p.add(wait)
	for range p.rng.IntN(5) {
		p.add(step{do: aRead, a: p.pick(stream), n: 1 << (10 + p.rng.IntN(7))})
	}
	p.add(wait)
}
