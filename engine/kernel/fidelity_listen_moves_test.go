package kernel_test

import "golang.org/x/sys/unix"

func (p *plan) addListener() {
	if p.chance(3) {
		p.unixListener(p.rng.IntN(5), p.rng.IntN(3))
		return
	}
	p.tcpListener(p.rng.IntN(3))
}

// addTwin binds another socket to the address of a listener, often with SO_REUSEPORT.
func (p *plan) addTwin() {
	l := p.pick(listener)
	twin := p.socket(unix.AF_INET)
	p.share(twin)
	p.add(step{do: aBindLike, a: twin, b: l})
	p.add(step{do: aListen, a: twin, n: p.rng.IntN(3)})
	p.what[twin] = listener
}

// share sets the options that let several sockets have one address. SO_REUSEADDR is always among
// them, because the model does not count connections that have the address.
func (p *plan) share(s int) {
	p.add(step{do: aOption, a: s, flags: oReuseAddr, n: 1})
	if !p.chance(4) {
		p.add(step{do: aOption, a: s, flags: oReusePort, n: 1})
	}
}

func (p *plan) dial() {
	if p.chance(4) {
		c := p.socket(unix.AF_UNIX)
		p.add(step{do: aConnectName, a: c, n: p.rng.IntN(7)})
		p.what[c] = stream
		return
	}
	c := p.socket(p.inet())
	p.add(step{do: aConnect, a: c, b: p.pick(listener)})
	p.what[c] = stream
}

// inet is seldom IPv6.
func (p *plan) inet() int { return oneOf(p, unix.AF_INET, unix.AF_INET, unix.AF_INET, unix.AF_INET6) }

func (p *plan) accept() {
	l := p.pick(listener)
	p.add(step{do: aAccept, a: l, b: p.slot(stream)})
}

func (p *plan) relisten() {
	p.add(step{do: aListen, a: p.pick(listener), n: p.rng.IntN(4)})
}

func (p *plan) closeListener() { p.closeSlot(p.pick(listener)) }

func (p *plan) addUnbound() { p.socket(oneOf(p, unix.AF_INET, unix.AF_INET, unix.AF_UNIX)) }

// addBound adds a socket with an address that does not listen.
func (p *plan) addBound() {
	s := p.socket(unix.AF_INET)
	p.share(s)
	p.add(step{do: aBind, a: s})
}

// connectAgain connects any socket to any address.
func (p *plan) connectAgain() {
	a, b := p.pick(fresh, stream), p.pick(listener, fresh, closed)
	if a == b {
		return // a socket connected to its own address: the model does not have it
	}
	p.add(step{do: aConnect, a: a, b: b})
	p.what[a] = stream
}

func (p *plan) fastOpen() {
	c := p.socket(unix.AF_INET)
	p.add(step{do: aFastOpen, a: c, b: p.pick(listener), n: p.size()})
	p.what[c] = stream
}

// addNamed adds a socket with one of a few addresses, and mostly lets it listen.
func (p *plan) addNamed() {
	ip := p.rng.IntN(4)
	s := p.socket([]int{unix.AF_INET, unix.AF_INET, unix.AF_INET6, unix.AF_INET6}[ip])
	if !p.chance(4) {
		p.add(step{do: aOption, a: s, flags: oReuseAddr, n: 1})
	}
	if p.chance(2) {
		p.add(step{do: aOption, a: s, flags: oReusePort, n: 1})
	}
	if ip >= 2 && p.chance(2) {
		p.add(step{do: aOption, a: s, flags: oOnly6, n: 1})
	}
	p.add(step{do: aBindPort, a: s, flags: ip, n: p.rng.IntN(3)})
	if !p.chance(4) {
		p.add(step{do: aListen, a: s, n: p.rng.IntN(3)})
		p.what[s] = listener
	}
}

// bindAgain binds a socket that may have an address.
func (p *plan) bindAgain() {
	p.add(step{do: aBindPort, a: p.pick(listener, fresh, stream), flags: p.rng.IntN(4), n: p.rng.IntN(3)})
}
