package pool

// maxRun is more than the turns in a row that one server can have: its weight,
// 256 at most, against another's 1.
const maxRun = 512

// rotation is smooth weighted round robin, laid out for one whole period. As
// all loops take their turns from one counter, the shares are exact however
// the connections fall on the loops.
type rotation struct {
	servers []*Server
	turns   []uint16 // index into servers
}

func newRotation(servers []*Server) picker {
	weights := make([]int, len(servers))
	for i, s := range servers {
		weights[i] = s.Conf.Weight
	}
	return &rotation{servers: servers, turns: smooth(weights)}
}

func (r *rotation) pick(_ Key, turn *turn, avoid *Server) *Server {
	period := uint64(len(r.turns))
	for range min(period, maxRun) {
		s := r.servers[r.turns[(turn.n.Add(1)-1)%period]]
		if s != avoid && s.Usable() {
			return s
		}
	}
	return r.anyBut(avoid)
}

// anyBut serves the moment between servers going down and the next order.
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

// class is the servers of one weight. They go ahead at one pace, so among them
// it is always the turn of the one that had fewest, in declared order; only
// the heads of the classes need comparing.
type class struct {
	weight  int
	members []uint16
	head    int
	lag     int // what the head is owed: weight for each turn, less the period for each one taken
}

// smooth returns one period of smooth weighted round robin, the order nginx
// made known: at each turn every server is owed its weight more, the one owed
// most (the first of them) takes the turn and pays the sum of all weights. So
// 5, 1, 1 gives a a b a c a a.
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

func (c *class) take(period int) uint16 {
	server := c.members[c.head]
	c.head++
	if c.head == len(c.members) {
		c.head = 0
		c.lag -= period
	}
	return server
}

// classify groups servers by weight in its lowest terms, and adds the weights.
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
