package pool

import "sync/atomic"

// maxRun is more than the number of successive turns that one server can have. The highest such
// number occurs with weights of 256 and 1.
const maxRun = 512

// roundRobin is smooth weighted round robin. All loops use one counter of turns, so the shares are
// exact even if the connections are distributed unevenly over the loops.
type roundRobin struct {
	rotation atomic.Pointer[rotation]
	turn     turn
}

// turn counts the turns that all loops have used. The padding keeps the counter in another cache
// line than fields that loops only read.
type turn struct {
	_ [64]byte
	n atomic.Uint64
	_ [64]byte
}

// rotation is an immutable set of servers, with the turns of one whole period computed in advance.
type rotation struct {
	servers []*Server
	turns   []uint16 // one period: indexes in servers
}

func newRoundRobin() picker { return &roundRobin{} }

func (r *roundRobin) use(servers []*Server) {
	in := &rotation{}
	var weights []int
	for _, s := range servers {
		if w := s.Weight(); w > 0 { // the weight may have become 0 since the call of inUse
			in.servers, weights = append(in.servers, s), append(weights, w)
		}
	}
	in.turns = smooth(weights)
	r.rotation.Store(in)
}

func (r *roundRobin) take(*Server) {}
func (r *roundRobin) drop(*Server) {}

// pick uses the next turn of a usable server other than avoid.
func (r *roundRobin) pick(_ Key, avoid *Server) *Server {
	in := r.rotation.Load()
	period := uint64(len(in.turns))
	for range min(period, maxRun) {
		s := in.servers[in.turns[(r.turn.n.Add(1)-1)%period]]
		if s != avoid && s.Usable() {
			return s
		}
	}
	return in.anyBut(avoid)
}

// anyBut returns any usable server, preferably not avoid; nil: none is usable. It is needed after
// servers went down, until use has set the new servers.
func (r *rotation) anyBut(avoid *Server) *Server {
	var last *Server
	for _, s := range r.servers {
		switch {
		case !s.Usable():
		case s != avoid:
			return s
		default:
			last = s
		}
	}
	return last
}

// class contains the servers of one weight. They take turns in declared order, so smooth needs to
// compare only the next server of each class.
type class struct {
	weight  int
	members []uint16 // indexes of servers, in declared order
	head    int      // index in members of the next server
	lag     int      // credit of that server: its weight for each turn, minus period for each turn it took
}

// smooth returns one period of smooth weighted round robin, an algorithm known from nginx. At
// each turn the credit of every server grows by its weight. The server with the highest credit
// takes the turn; with equal credit, the first one does. Its credit then shrinks by the sum of
// all weights. Weights of 5, 1 and 1 give a a b a c a a.
func smooth(weights []int) []uint16 {
	classes, period := classify(weights)
	turns := make([]uint16, period)
	for t := range turns {
		best := &classes[0]
		for i := range classes {
			c := &classes[i]
			c.lag += c.weight
			if c.lag > best.lag || c.lag == best.lag && c.members[c.head] < best.members[best.head] {
				best = c
			}
		}
		turns[t] = best.take(period)
	}
	return turns
}

// take returns the next server of the class and moves on to the one after it.
func (c *class) take(period int) uint16 {
	server := c.members[c.head]
	c.head++
	if c.head == len(c.members) {
		c.head = 0
		c.lag -= period
	}
	return server
}

// classify groups servers by weight, after dividing the weights by their greatest common
// divisor. period is the sum of the divided weights.
func classify(weights []int) (classes []class, period int) {
	divisor := 0
	for _, w := range weights {
		divisor = gcd(w, divisor)
	}
	at := map[int]int{}
	for i, w := range weights {
		w /= divisor
		period += w
		if _, ok := at[w]; !ok {
			at[w] = len(classes)
			classes = append(classes, class{weight: w})
		}
		c := &classes[at[w]]
		c.members = append(c.members, uint16(i))
	}
	return classes, period
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
