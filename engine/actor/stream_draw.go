package actor

import (
	"math/rand/v2"
	"time"
)

// StreamOptions limit the random choices of [DrawStream]. The zero value allows all behaviours,
// with the default sizes.
type StreamOptions struct {
	First   Speaker       // the end that sends the first byte
	Polite  bool          // both ends are polite, see Ending
	Large   int           // upper bound of the bytes of a large stream, without Prefix; 0: 256 KiB
	Pause   time.Duration // the longest pause of an end, except of one that is slow; 0: 50 ms
	Slow    time.Duration // the longest pause of an end that is slow; 0: none is
	Silence time.Duration // the longest Patience of an end of the kind Mute or Deaf; 0: 10 minutes
}

// leastNamed is the minimum number of bytes that the first speaker sends: one whole word of a
// stream, which identifies the conversation.
const leastNamed = word

// draw is the state while one plan is drawn at random.
type draw struct {
	StreamOptions
	r    *rand.Rand
	plan *StreamPlan
}

// DrawStream makes a random plan of a conversation. The client sends prefix before its stream, see
// [StreamPlan.Prefix]; prefix may be empty.
func DrawStream(r *rand.Rand, number int, prefix string, o StreamOptions) *StreamPlan {
	orDefault(&o.Large, 256<<10)
	orDefault(&o.Pause, 50*time.Millisecond)
	orDefault(&o.Silence, 10*time.Minute)
	d := &draw{StreamOptions: o, r: r, plan: &StreamPlan{Number: number, First: o.First, Prefix: prefix}}
	if o.First != NobodyFirst {
		d.pieces()
	}
	d.endings()
	if d.plan.Fast = o.First == ClientFirst && d.oneIn(4); d.plan.Fast {
		d.plan.Client.Pieces[0].Pause = 0
	}
	d.reading(&d.plan.Client, d.plan.Total(true))
	d.reading(&d.plan.Server, d.plan.Total(false))
	if d.Slow > 0 && d.plan.Polite() && d.oneIn(16) {
		d.slow(d.oneIn(2))
	}
	return d.plan
}

// slow makes one end pause for long before each piece, except the first bytes, and no other pauses
// are left. The conversation then takes longer than Slow, but is never silent for longer.
func (d *draw) slow(server bool) {
	for _, s := range []*StreamSide{&d.plan.Client, &d.plan.Server} {
		s.Read.Wait, s.Read.Pause = 0, 0
		for i := range s.Pieces {
			s.Pieces[i].Pause = 0
		}
	}
	sent := 0
	for i, p := 0, d.plan.Side(server).Pieces; i < len(p); i++ {
		if sent >= leastNamed { // rules may wait for the first bytes
			p[i].Pause = d.Slow/2 + time.Duration(d.r.Int64N(int64(d.Slow/2)))
		}
		sent += p[i].Size
	}
}

func orDefault[T int | time.Duration](value *T, usual T) {
	if *value == 0 {
		*value = usual
	}
}

// oneIn returns true with probability 1/n.
func (d *draw) oneIn(n int) bool { return d.r.IntN(n) == 0 }

// size draws the number of bytes that an end sends.
func (d *draw) size() int {
	switch d.r.IntN(16) {
	case 0:
		return 0
	case 1:
		return d.r.IntN(10)
	case 2:
		return d.r.IntN(d.Large)
	case 3:
		return d.r.IntN(min(d.Large, 20_000))
	}
	return d.r.IntN(2000)
}

// pause draws a pause with probability 1/oneIn; otherwise 0.
func (d *draw) pause(oneIn int) time.Duration {
	if !d.oneIn(oneIn) {
		return 0
	}
	return time.Duration(d.r.Int64N(int64(d.Pause)))
}

// pieces draws the pieces that both ends send. They have one common order. A piece may wait only
// for earlier pieces of the other end, so polite ends never block each other for ever. The first
// speaker waits for nothing until it has sent leastNamed bytes.
func (d *draw) pieces() {
	first := int(d.plan.First)
	rest := [2][]int{d.split(first == client), d.split(first == server)}
	sent := [2]int{client: len(d.plan.Prefix)}
	for role := first; len(rest[client])+len(rest[server]) > 0; role = d.r.IntN(2) {
		if len(rest[role]) == 0 {
			continue
		}
		side, size := d.plan.Side(role == server), rest[role][0]
		piece := Piece{Size: size, Pause: d.pause(8)}
		if named := role != first || sent[role] >= leastNamed; named && d.oneIn(2) {
			piece.After = sent[1-role]
		}
		side.Pieces = append(side.Pieces, piece)
		rest[role], sent[role] = rest[role][1:], sent[role]+size
	}
}

// split draws the sizes of the pieces of an end.
func (d *draw) split(first bool) []int {
	total := d.size()
	if first {
		total = max(total, leastNamed)
	}
	var sizes []int
	for total > 0 {
		n := total
		switch {
		case len(sizes) < 8 && d.oneIn(3):
			n = 1 + d.r.IntN(total)
		case len(sizes) < 8 && d.oneIn(8):
			n = 1
		}
		sizes = append(sizes, n)
		total -= n
	}
	return sizes
}

// endings draws the ending of both ends. At most one polite end waits for the other end to close
// first.
func (d *draw) endings() {
	p := d.plan
	if d.oneIn(3) {
		p.Server.End = CloseLast
	} else if p.First != NobodyFirst && d.oneIn(2) {
		p.Client.End = CloseLast
	}
	if d.oneIn(3) && !d.Polite {
		d.rude(p.Side(d.oneIn(2)))
	}
	if d.oneIn(12) && !d.Polite {
		d.rude(&p.Client)
		d.rude(&p.Server)
	}
	d.urgent(&p.Client)
	d.urgent(&p.Server)
}

// rude gives an end one of the impolite endings.
func (d *draw) rude(s *StreamSide) {
	s.End = CloseEarly + Ending(d.r.IntN(int(Deaf-CloseEarly)+1))
	s.Patience = d.pause(2)
	if s.End >= Mute {
		s.Patience = time.Duration(d.r.Int64N(int64(d.Silence)))
	}
	if len(s.Pieces) > 0 && d.oneIn(2) {
		d.cut(s)
	}
}

// cut removes a random number of bytes from the end of the bytes that an end sends.
func (d *draw) cut(s *StreamSide) {
	s.Pieces = s.Pieces[:1+d.r.IntN(len(s.Pieces))]
	last := &s.Pieces[len(s.Pieces)-1]
	last.Size = d.r.IntN(last.Size + 1)
}

// urgent lets an end send an urgent byte, with probability 1/16.
func (d *draw) urgent(s *StreamSide) {
	if len(s.Pieces) > 0 && d.oneIn(16) {
		s.Urgent = 1 + d.r.IntN(len(s.Pieces))
	}
}

// reading draws how an end reads a stream of size bytes.
func (d *draw) reading(s *StreamSide, size int) {
	s.Read.Wait = d.pause(8)
	if d.oneIn(6) {
		s.Read.Most = 1 + size/mostReadPauses + d.r.IntN(size+1)
	}
	if s.Read.Most == 0 || d.oneIn(2) {
		s.Read.Pause = d.pause(8) / mostReadPauses
	}
	if s.End == Deaf {
		s.Read.Stop = 1 + d.r.IntN(size+1)
	}
}
