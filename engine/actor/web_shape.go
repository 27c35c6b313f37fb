package actor

import (
	"math/rand/v2"
	"time"
)

// WebShape contains limits for the plans that [DrawWeb] draws: the properties of the balancer's
// configuration, and the allowed faults. A plan refers to its shape, so the shape must not change
// afterwards.
type WebShape struct {
	Hosts   []WebHost                           // possible values of the Host field; at least one
	Paths   []string                            // paths of requests, before "/" and the number; nil: no path
	Effects []func(r *rand.Rand, q *WebRequest) // called for each drawn request; they set its Expect
	// Closes means that the frontend has `option httpclose`.
	Closes bool
	// IgnoresProbes means that the frontend has `option http-ignore-probes`.
	IgnoresProbes bool
	// Upgrades and Connects allow requests for tunnels. The Host field of CONNECT has a port.
	Upgrades, Connects bool
	// UnixServers means that some servers use UNIX sockets. A UNIX socket cannot send a reset on
	// purpose. Its peer gets a reset if bytes were unread at the close.
	UnixServers bool
	// Patience is the shortest timeout of the configuration. All pauses of one message together are
	// shorter. 0: there is no timeout, so no client or server stops sending without closing.
	Patience time.Duration
	// Repeats is a size in bytes, for head and body together. An idempotent request up to this size
	// is certainly sent again if a kept connection ends.
	Repeats int
	Large   int  // maximum bytes of large bodies; 0: no large bodies
	Fill    int  // maximum bytes of the field X-Fill; 0: no such field
	Most    int  // maximum number of requests of a conversation; 0: 8
	Tame    bool // clients and servers have no faults
}

// WebHost is a value of the Host field, and the routing of requests with this value.
type WebHost struct {
	Name    string   // value of the Host field
	Backend string   // backend of the servers that get the requests; empty: any
	Frees   bool     // connections to the servers are not kept
	Cookie  string   // name of the cookie that assigns a client to a server; empty: none
	Hides   bool     // the balancer removes that cookie from requests
	Servers []string // the values of that cookie; each is the name of its server
}

// drawing is the state while a plan is drawn at random.
type drawing struct {
	*rand.Rand
	*WebShape
	plan *WebPlan
}

// DrawWeb makes a random plan of a conversation. number is 1 or more.
func DrawWeb(r *rand.Rand, shape *WebShape, number int) *WebPlan {
	p := &WebPlan{Number: number, shape: shape}
	d := &drawing{r, shape, p}
	n := d.between(1, d.most())
	p.Requests = make([]WebRequest, n)
	spoiled, steps, moves := d.oneOf(n, 2), d.once(2), d.once(2)
	host := d.IntN(len(d.Hosts))
	for i := range p.Requests {
		if moves {
			host = d.IntN(len(d.Hosts))
		}
		q := &p.Requests[i]
		q.Number, q.Waits = number*10+i, steps || d.once(8)
		d.apart(r, func() { d.request(q, &d.Hosts[host]) })
		d.apart(r, func() { d.answer(q, i == spoiled) })
	}
	d.apart(r, func() { d.last(&p.Requests[n-1]) })
	for i := range p.Requests {
		for _, effect := range d.Effects {
			effect(r, &p.Requests[i])
		}
	}
	d.client()
	p.settle()
	return p
}

// apart calls draw with a random source of its own. So a shape that makes draw use more or fewer
// random numbers does not change later choices.
func (d *drawing) apart(r *rand.Rand, draw func()) {
	d.Rand = rand.New(rand.NewPCG(r.Uint64(), 0))
	draw()
	d.Rand = r
}

func (d *drawing) most() int {
	if d.Most > 0 {
		return min(d.Most, 8)
	}
	return 8
}

// once returns true with probability 1/n.
func (d *drawing) once(n int) bool { return d.IntN(n) == 0 }

// between returns a number from least to most.
func (d *drawing) between(least, most int) int { return least + d.IntN(most-least+1) }

// oneOf returns a random index below n with probability 1/rare; otherwise -1. A tame shape always
// gives -1.
func (d *drawing) oneOf(n, rare int) int {
	i := d.IntN(n)
	if !d.once(rare) || d.Tame {
		return -1
	}
	return i
}

// size returns the size of a body: mostly small, sometimes larger than all buffers.
func (d *drawing) size() int {
	switch {
	case d.once(6):
		return 0
	case d.Large > 0 && d.once(10):
		return d.between(d.Large/4, d.Large)
	}
	return d.IntN(1 << d.IntN(9))
}

// fill returns the size of the field X-Fill in bytes: mostly 0.
func (d *drawing) fill() int {
	n := 1 + d.IntN(max(d.Fill, 1))
	if !d.once(6) || d.Fill == 0 {
		return 0
	}
	return n
}

// piece returns the maximum number of bytes of one write or read; 0: no limit.
func (d *drawing) piece() int {
	if !d.once(3) {
		return 0
	}
	return 1 + d.IntN(1<<d.IntN(12))
}

// pause returns a pause, often 0. All pauses of a message together are shorter than Patience.
func (d *drawing) pause() time.Duration {
	if !d.once(4) {
		return 0
	}
	if d.Patience == 0 {
		return time.Duration(1 + d.IntN(int(time.Millisecond)))
	}
	return 1 + d.Patience/mostPauses/8*time.Duration(d.IntN(8))/8
}

// mostPauses is the number of pauses of one message, or of a client that reads.
const mostPauses = 6

// pick returns one of the values.
func pick[T any](d *drawing, values ...T) T { return values[d.IntN(len(values))] }

func (d *drawing) request(q *WebRequest, h *WebHost) {
	q.Host, q.Expect.Backend, q.Expect.Frees = h.Name, h.Backend, h.Frees
	q.Method = pick(d, "GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "OPTIONS")
	q.Old, q.Wait = d.once(8), d.pause()
	if len(d.Paths) > 0 {
		q.Path = pick(d, d.Paths...)
	}
	if q.Old {
		q.Keep = d.once(2)
	}
	if q.Method == "POST" || q.Method == "PUT" || !q.Old && q.Method != "HEAD" && d.once(12) {
		q.Body, q.Framing = d.size(), pick(d, ByLength, ByChunks)
		if q.Old {
			q.Framing = ByLength
		}
		q.Trailer = q.Framing == ByChunks && d.once(3)
		q.Continue = !q.Old && d.once(6)
	}
	q.Fill = d.fill()
	if d.once(10) {
		q.Odd = pick(d, oddRequests...).name
	}
	d.cookie(q, h)
}

// cookie draws the cookie of a request: none, one that names a server, or one with an unknown
// value.
func (d *drawing) cookie(q *WebRequest, h *WebHost) {
	if h.Cookie == "" {
		return
	}
	q.Expect.Cookie = h.Cookie
	switch d.IntN(4) {
	case 0:
		q.Cookie = h.Cookie + "=unknown"
	case 1, 2:
		q.Expect.Server, q.Expect.Cookie = pick(d, h.Servers...), ""
		q.Cookie = h.Cookie + "=" + q.Expect.Server
		q.Expect.Loses = append(q.Expect.Loses, "set-cookie")
	default:
		return
	}
	if h.Hides {
		q.Expect.Has = append(q.Expect.Has, "Cookie: a=b")
	}
	q.Cookie = pick(d, "a=b; "+q.Cookie, q.Cookie+"; a=b")
}

// last gives some last requests a special form: they end the connection, or ask for a tunnel.
func (d *drawing) last(q *WebRequest) {
	switch {
	case d.Upgrades && !q.Old && q.Framing == NoBody && d.once(8):
		q.Method, q.Upgrade = "GET", true
		if !d.once(4) {
			d.tunnel(q, 101)
		}
	case d.Connects && !q.Old && q.Framing == NoBody && d.once(8):
		q.Method, q.Upgrade, q.Odd, q.Path = "CONNECT", true, "", ""
		q.Answer.Status = pick(d, 403, 500)
		if !d.once(4) {
			d.tunnel(q, 200)
		}
	case d.once(3):
		q.Close = true
	}
}

func (d *drawing) tunnel(q *WebRequest, status int) {
	a := &q.Answer
	a.Status, a.Framing, a.Body, a.Old, a.Close, a.Bad = status, ByEnd, d.size(), false, false, ""
	q.Up, q.Eager = d.size(), d.once(4)
	if a.Fault == ServerAdds || a.Fault == ServerErrs || a.Fault == ServerDies || a.Fault == ServerStops {
		a.Fault = Fair
	}
	if a.Fault != Fair {
		a.At = d.faultAt(q)
	}
}
