package actor

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// WebWorld contains the plans of all conversations in mode http, and the records of their requests.
// It reports failures with [Cast.Failf].
type WebWorld struct {
	Cast *Cast // the cast of the clients and servers; failures are reported to it
	// Own are the statuses of answers that the balancer may give to any request, for reasons that
	// no plan contains. An example is 503 while servers are down.
	Own []int
	// Rough means that a connection may end at any time, because system calls of the balancer fail
	// or the balancer is stopped.
	Rough bool
	// Keeps: nothing but the plans ends connections to servers.
	Keeps bool
	// Draining means that the balancer may end connections after an answer, from the time at which
	// it is set.
	Draining bool
	// Drains reports whether the balancer drains: an answer that a server gives from now on is the last
	// one of its client's connection, and must say so. nil: it never does.
	Drains func() bool
	// Sites knows the configurations of the balancer. nil: there is only one.
	Sites WebSites
	// CheckPath is the path of health checks. They are answered with 200, or with 503 if Sick
	// returns true for the name of the server.
	CheckPath string
	Sick      func(server string) bool

	plans   []*WebPlan
	tracks  map[int]*webTrack // key: number of the request
	buffers [][]byte          // buffers that are not in use
}

// WebSites are the configurations of a balancer that reloads.
type WebSites interface {
	// Absent reports whether the client of a conversation may be refused, because its frontend was
	// removed.
	Absent(conversation int) bool
	// Goes reports whether the balancer may end the connection of a conversation after an answer from
	// now on. The answer must announce that.
	Goes(conversation int) bool
	// Asks is called when a client begins to send a request, after so many bytes on its connection.
	// alone means that all requests before are answered.
	Asks(request, sent int, alone bool)
	// Reaches judges the fields X-Site and X-Site-Back of a request at its server. It returns what is
	// wrong; empty: nothing.
	Reaches(request int, front, back string) (wrong string)
	// Answered judges the same fields of a server's answer at the client.
	Answered(request int, front, back string) (wrong string)
	// Answers is called when a server begins its answer to a request.
	Answers(request int)
	// IsGone reports whether the answer of a server must be the last one of the connection and say so.
	IsGone(request int) bool
}

// webTrack is the record of a request during the simulation.
type webTrack struct {
	plan       *WebPlan
	request    *WebRequest
	index      int
	deliveries []*webDelivery
	record     WebRecord
	started    bool // the client has begun to send the request
	settled    bool // the bytes or FIN after the answer have reached the balancer, or never will
}

// webDelivery is one arrival of a request at a server.
type webDelivery struct {
	server string
	kept   bool // the connection had carried an earlier request
	fast   bool // the request may have come in a SYN, so it may come again if the connection fails
	late   bool // the balancer was draining when the answer was begun
	begun  bool // the server has begun to send the final answer
	heard  bool // the balancer certainly has a byte of the answer
	ended  bool // the server has ended the connection
	body   int  // bytes of the request's body that were read
	wrote  int  // bytes of the answer that were sent
	sent   int  // bytes of wrote that follow the head of the final answer
}

// WebRecord is the outcome of a request, for comparison with the log of the balancer.
type WebRecord struct {
	Number   int      // number of the request, see WebRequest
	Line     string   // "GET /12 HTTP/1.1"
	Sent     bool     // the client has sent the whole request
	Status   int      // status of the final answer at the client; 0: no answer came
	Own      bool     // the balancer gave that answer
	Body     int      // bytes of the answer's body, without framing
	Bytes    int      // bytes that the client has read for this request, with heads and framing
	Whole    bool     // the answer looks whole to the client
	Aborted  bool     // the client itself ended the connection before the end of the answer, or let its timeout expire in a tunnel
	Failed   bool     // the connection ended or failed before the end of the answer
	Servers  []string // names of the servers that got the request, in order
	Uploaded int      // bytes of the request's body at the server that got it last, without framing
}

// NewWebWorld returns a world with these plans. The numbers of the plans must differ.
func NewWebWorld(c *Cast, plans []*WebPlan) *WebWorld {
	w := &WebWorld{Cast: c, plans: plans, tracks: map[int]*webTrack{}}
	for _, p := range plans {
		for i := range p.Requests {
			q := &p.Requests[i]
			w.tracks[q.Number] = &webTrack{plan: p, request: q, index: i, record: WebRecord{Number: q.Number, Line: q.line()}}
		}
	}
	return w
}

// Kept returns how many requests have come to a server on connections that had served others.
func (w *WebWorld) Kept(server string) (n int) {
	for _, t := range w.tracks {
		for _, d := range t.deliveries {
			if d.kept && d.server == server {
				n++
			}
		}
	}
	return n
}

// line returns the request line.
func (q *WebRequest) line() string {
	return q.Method + " " + q.target() + " HTTP/1." + string(minor(q.Old))
}

// Records returns the outcomes of all requests, in the order of their numbers.
func (w *WebWorld) Records() []WebRecord {
	var all []WebRecord
	for _, p := range w.plans {
		for i := range p.Requests {
			t := w.tracks[p.Requests[i].Number]
			r := t.record
			for _, d := range t.deliveries {
				r.Servers = append(r.Servers, d.server)
				r.Uploaded = d.body
			}
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b WebRecord) int { return a.Number - b.Number })
	return all
}

// failf records that something happened to a request that must not.
func (w *WebWorld) failf(q *WebRequest, format string, args ...any) {
	w.Cast.Failf("conversation %d request %d: "+format, append([]any{q.Number / 10, q.Number}, args...)...)
}

// compare reports whether b has the bytes of a message from offset at on. If not, it reports a
// failure that names the message to which the bytes belong.
func (w *WebWorld) compare(q *WebRequest, k streamKind, b []byte, at int) bool {
	if end := q.stamps(k); end >= 0 {
		b = b[:max(0, min(len(b), end-at))]
	}
	n := Check(b, q.stream(k), at)
	if n == len(b) {
		return true
	}
	whose := "nobody's"
	if s, place, ok := Recognise(b[n:]); ok {
		whose = streamKind(s%4).String() + " of request " + strconv.Itoa(int(s/4)) + " from byte " + strconv.Itoa(place) + " on"
	}
	w.failf(q, "bytes of the %v are wrong from byte %d on; they are %s: %q", k, at+n, whose, b[n:min(len(b), n+24)])
	return false
}

// stamps returns how many bytes of a body belong to its stream, if malformed bytes follow them;
// otherwise -1.
func (q *WebRequest) stamps(k streamKind) int {
	switch {
	case k == askedBody && q.Malformed != "":
		return q.Body
	case k == givenBody && q.Answer.Fault == ServerErrs:
		return q.Answer.Body
	}
	return -1
}

// after returns the request of the same client that follows t; nil: there is none.
func (w *WebWorld) after(t *webTrack) *webTrack {
	if t.index+1 == len(t.plan.Requests) {
		return nil
	}
	return w.tracks[t.plan.Requests[t.index+1].Number]
}

// last returns the latest delivery of a request, or nil.
func (t *webTrack) last() *webDelivery {
	if n := len(t.deliveries); n > 0 {
		return t.deliveries[n-1]
	}
	return nil
}

// mayBe reports whether the balancer may answer a request with this status.
func (w *WebWorld) mayBe(q *WebRequest, f *webFate, status int) bool {
	return slices.Contains(f.own, status) || slices.ContainsFunc(w.Own, func(own int) bool { return q.shown(own) == status })
}

// buffer returns a slice of length 0 with some capacity. The caller gives it back with free.
func (w *WebWorld) buffer() []byte {
	n := len(w.buffers)
	if n == 0 {
		return make([]byte, 0, 2<<10)
	}
	b := w.buffers[n-1]
	w.buffers = w.buffers[:n-1]
	return b[:0]
}

func (w *WebWorld) free(b []byte) {
	if len(w.buffers) < mostBuffers {
		w.buffers = append(w.buffers, b)
	}
}

const mostBuffers = 256

// mostSilence is the longest time that a client or server waits without progress. It is longer than
// all timeouts that a conversation can meet.
const mostSilence = time.Hour

// keepAlive postpones the deadline of a connection on which bytes move.
func (c *Conn) keepAlive() {
	if now := c.cast.Kernel.Now(); c.deadline > 0 && c.deadline-now < mostSilence/2 {
		c.Deadline(now + mostSilence)
	}
}

// writePieces writes a message in pieces of piece bytes, with pauses between the first ones. Pieces
// are larger for a long message, so that there are about mostPieces at most. 0: the message is one
// piece. It returns the number of bytes written.
func (a *Actor) writePieces(c *Conn, b []byte, piece int, pause time.Duration) (n int, err error) {
	size := len(b)
	if piece > 0 {
		size = max(piece, len(b)/mostPieces)
	}
	for pauses := 0; n < len(b) && err == nil; pauses++ {
		if pauses > 0 && pauses <= mostPauses && pause > 0 {
			a.Pause(pause)
		}
		for end := min(len(b), n+size); n < end && err == nil; {
			c.keepAlive()
			k := 0
			k, err = c.Some(b[n:end])
			n += k
		}
	}
	return n, err
}

// mostPieces is the approximate maximum number of pieces of one message.
const mostPieces = 12

// shows reports whether one of the events is present on a connection. It returns true, too, if the
// connection is closed or overdue.
func (c *Conn) shows(events uint32) bool {
	return c.closed || c.overdue() || c.process.Poll(c.fd)&events != 0
}

// unlessReset returns the error of a read. Linux reports a reset once: if a write has returned it,
// reads return the end of the stream, as if FIN had come. Then unlessReset returns the write's
// error.
func unlessReset(read, write error) error {
	if errors.Is(read, io.EOF) && errors.Is(write, unix.ECONNRESET) {
		return write
	}
	return read
}
