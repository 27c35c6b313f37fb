package kernel_test

import (
	"math/rand/v2"

	"golang.org/x/sys/unix"
)

// plan makes a sequence. It keeps track of what the slots contain, so that most steps make sense.
type plan struct {
	rng   *rand.Rand
	steps []step
	what  [slots]content
	most  int // bytes of a send
}

// content is what a slot contains, as far as a plan knows.
type content int

const (
	nothing content = iota
	fresh           // a socket without an address
	listener
	stream
	epollFile
	readEnd
	writeEnd
	eventFile
	timerFile
	closed // a number that was closed, and perhaps used again
)

// family is a kind of sequences.
type family struct {
	name  string
	share int  // of all sequences; more where sequences take less time
	alone bool // it needs a network of its own
	begin func(p *plan)
	moves []move
}

// move adds one or a few steps to a plan. weight is how often it is chosen.
type move struct {
	weight int
	make   func(p *plan)
}

// newPlan returns a sequence of the family.
func newPlan(f *family, seed uint64) []step {
	p := &plan{rng: rand.New(rand.NewPCG(seed, 0xf1de)), most: 3000}
	f.begin(p)
	total := 0
	for _, m := range f.moves {
		total += m.weight
	}
	for range 5 + p.rng.IntN(25) {
		n := p.rng.IntN(total)
		for _, m := range f.moves {
			if n -= m.weight; n < 0 {
				m.make(p)
				break
			}
		}
	}
	p.drain()
	return p.steps
}

// drain reads all bytes that are left, so that all are compared.
func (p *plan) drain() {
	for range 3 {
		for i, have := range p.what {
			if have == stream || have == readEnd {
				p.add(step{do: aRead, a: i, n: 1 << 18})
			}
		}
	}
}

func (p *plan) add(s step) { p.steps = append(p.steps, s) }

// chance is true in one of n cases.
func (p *plan) chance(n int) bool { return p.rng.IntN(n) == 0 }

// slot returns a free slot for something new.
func (p *plan) slot(c content) int {
	for _, want := range []content{nothing, closed} {
		for i, have := range p.what {
			if have == want {
				p.what[i] = c
				return i
			}
		}
	}
	i := p.rng.IntN(slots)
	p.what[i] = c
	return i
}

// pick returns a slot with one of the contents. Seldom, and if there is none, it is another slot
// that was used before.
func (p *plan) pick(contents ...content) int {
	var fit, used []int
	for i, have := range p.what {
		for _, c := range contents {
			if have == c {
				fit = append(fit, i)
			}
		}
		if have != nothing {
			used = append(used, i)
		}
	}
	if len(fit) == 0 || p.chance(40) {
		fit = used
	}
	return fit[p.rng.IntN(len(fit))]
}

func oneOf[T any](p *plan, from ...T) T { return from[p.rng.IntN(len(from))] }

// size returns a number of bytes: mostly small, often of special sizes.
func (p *plan) size() int {
	switch p.rng.IntN(6) {
	case 0:
		return 1
	case 1:
		return oneOf(p, 0, 2, 7, 8, 9, 4095, 4096, 4097) % (p.most + 1)
	case 2:
		return p.rng.IntN(p.most + 1)
	}
	return 1 + p.rng.IntN(100)
}

// room returns the size of a buffer to read into.
func (p *plan) room() int {
	if p.chance(2) {
		return 1 << 16
	}
	return p.size()
}

// tcpListener adds a listening socket.
func (p *plan) tcpListener(backlog int) int {
	l := p.slot(listener)
	p.add(step{do: aSocket, a: l, n: unix.AF_INET})
	p.share(l)
	p.add(step{do: aBind, a: l})
	p.add(step{do: aListen, a: l, n: backlog})
	return l
}

// unixListener adds a listening UNIX socket with the name number n.
func (p *plan) unixListener(n, backlog int) int {
	l := p.slot(listener)
	p.add(step{do: aSocket, a: l, n: unix.AF_UNIX})
	p.add(step{do: aBindName, a: l, n: n})
	p.add(step{do: aListen, a: l, n: backlog})
	return l
}

// pair adds a connection to the listener in slot l.
func (p *plan) pair(l, family int) (client, server int) {
	client, server = p.slot(stream), p.slot(stream)
	p.add(step{do: aSocket, a: client, n: family})
	p.add(step{do: aConnect, a: client, b: l})
	p.add(step{do: aAccept, a: l, b: server})
	return client, server
}

func (p *plan) socket(family int) int {
	s := p.slot(fresh)
	p.add(step{do: aSocket, a: s, n: family})
	return s
}
