package kernel_test

import "golang.org/x/sys/unix"

func (p *plan) addEpoll() { p.add(step{do: aEpoll, a: p.slot(epollFile)}) }

// interests are sets of events that a registration may have.
func (p *plan) interests() int {
	set := oneOf(p, unix.EPOLLIN, unix.EPOLLIN, unix.EPOLLOUT, unix.EPOLLIN|unix.EPOLLOUT, unix.EPOLLIN|unix.EPOLLRDHUP,
		unix.EPOLLIN|unix.EPOLLPRI|unix.EPOLLRDHUP, unix.EPOLLIN|unix.EPOLLPRI|unix.EPOLLRDHUP|unix.EPOLLOUT, unix.EPOLLRDHUP, 0)
	if !p.chance(3) {
		set |= edge
	}
	if p.chance(8) {
		set |= unix.EPOLLONESHOT
	}
	return set
}

// edge is EPOLLET as a positive number.
const edge = 1 << 31

func (p *plan) control(do *action) {
	b := p.pick(stream, stream, listener, readEnd, writeEnd, eventFile, timerFile)
	p.add(step{do: do, a: p.pick(epollFile), b: b, flags: p.interests(), n: len(p.steps)})
}

func (p *plan) watch()   { p.control(aAdd) }
func (p *plan) rewatch() { p.control(aModify) }
func (p *plan) unwatch() { p.control(aDelete) }

func (p *plan) wait() {
	p.add(step{do: aWait, a: p.pick(epollFile), n: oneOf(p, 1, 2, 50, 50, 50, 50)})
}

func (p *plan) addEventfd() { p.add(step{do: aEventfd, a: p.slot(eventFile)}) }
func (p *plan) addTimerfd() { p.add(step{do: aTimerfd, a: p.slot(timerFile)}) }

// ring writes to an eventfd. What it writes is the pattern, so the counter soon is full.
func (p *plan) ring() {
	p.add(step{do: aWrite, a: p.pick(eventFile), n: oneOf(p, 8, 8, 8, 9, 4)})
}

func (p *plan) setTimer() {
	p.add(step{do: oneOf(p, aTimer, aExpire), a: p.pick(timerFile), n: oneOf(p, 0, 3600_000)})
}

func (p *plan) readFile() {
	p.add(step{do: aRead, a: p.pick(eventFile, timerFile), n: oneOf(p, 8, 8, 8, 9, 4)})
}

func (p *plan) dupFile() {
	from := p.pick(readEnd, writeEnd, eventFile, timerFile)
	p.add(step{do: aDup, a: from, b: p.slot(p.what[from])})
}

func (p *plan) addPipe() {
	r, w := p.slot(readEnd), p.slot(writeEnd)
	p.add(step{do: aPipe, a: r, b: w})
	if p.chance(2) {
		p.add(step{do: aPipeSize, a: r, n: oneOf(p, 1, 4096, 8192, 12288, 1<<20)})
	}
}

func (p *plan) splice(from, to int) {
	p.add(step{do: aSplice, a: from, b: to, n: oneOf(p, p.size(), 1<<16, 1<<20)})
}

func (p *plan) spliceOut()   { p.splice(p.pick(stream), p.pick(writeEnd)) }
func (p *plan) spliceIn()    { p.splice(p.pick(readEnd), p.pick(stream)) }
func (p *plan) splicePipes() { p.splice(p.pick(readEnd), p.pick(writeEnd)) }

// fillThroughPipe writes to a pipe and splices that into a socket, in several parts.
func (p *plan) fillThroughPipe() {
	from, to := p.pick(readEnd), p.pick(stream)
	p.add(step{do: aWrite, a: p.pick(writeEnd), n: 1 + p.rng.IntN(65536)})
	for range 1 + p.rng.IntN(4) {
		p.splice(from, to)
		if p.chance(2) {
			p.add(step{do: aRead, a: p.pick(stream), n: p.room()})
		}
	}
}

// spliceOdd splices between any two descriptors.
func (p *plan) spliceOdd() {
	p.splice(p.pick(stream, readEnd, writeEnd), p.pick(stream, readEnd, writeEnd))
}

func (p *plan) resize() {
	p.add(step{do: aPipeSize, a: p.pick(readEnd, writeEnd), n: oneOf(p, 0, 1, 4096, 5000, 8192, 65536, 1<<20)})
}

func (p *plan) writePipe() {
	p.add(step{do: aWrite, a: p.pick(writeEnd), n: p.size()})
}

func (p *plan) readPipe() {
	p.add(step{do: aRead, a: p.pick(readEnd), n: p.room()})
}

func (p *plan) closePipe() { p.closeSlot(p.pick(readEnd, writeEnd)) }
