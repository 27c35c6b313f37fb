package actor

import (
	"encoding/binary"
	"strconv"
	"strings"

	"sluice/engine/kernel"
)

// Streams are the conversations in mode tcp of one simulation.
type Streams struct {
	Cast *Cast
	// Excused reports whether the balancer may end this conversation by itself: it refuses the
	// client, a server is down, or a timeout is shorter than a pause. Then bytes may be missing.
	// nil: none is excused.
	Excused func(p *StreamPlan) bool

	talks  []*conversation // in order of their start
	byName map[int]*conversation
}

// conversation is what is known about both ends of one conversation.
type conversation struct {
	plan   *StreamPlan
	ends   [2]*end // by role; nil: has not taken part yet
	judged bool
}

// Roles, as indices of ends.
const (
	client = 0
	server = 1
)

// NewStreams returns no conversations yet.
func NewStreams(c *Cast) *Streams {
	return &Streams{Cast: c, byName: map[int]*conversation{}}
}

// Count returns how many conversations have a verdict, and how many were started.
func (s *Streams) Count() (judged, started int) {
	for _, c := range s.talks {
		if c.judged {
			judged++
		}
	}
	return judged, len(s.talks)
}

// Talk lets the actor be the client of a conversation. With ServerFirst, only the number and the
// client's patience of the plan matter: the client follows the plan of the server that it hears.
// Talk returns when the conversation is over for the client.
func (s *Streams) Talk(a *Actor, to kernel.Address, plan *StreamPlan) {
	c := s.add(plan)
	e := &end{streams: s, actor: a, role: client, patience: plan.Client.Patience}
	conn, err := a.Dial(to)
	if err != nil {
		e.fate, e.over = fate{dial: err}, true
		c.ends[client] = e
		s.judge(c)
		return
	}
	e.conn = conn
	if plan.First != ServerFirst {
		e.join(c)
	}
	e.run()
}

// Serve lets the actor be the server of all connections that a listener accepts, until the
// listener is closed. greet returns the plan of the next connection if the server speaks first;
// nil: the server learns from the first bytes of each client which plan to follow.
func (s *Streams) Serve(a *Actor, l *Listener, greet func() *StreamPlan) {
	for number := 1; ; number++ {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		e := &end{streams: s, role: server, conn: conn}
		if greet != nil {
			e.join(s.add(greet()))
		}
		a.Go("connection "+strconv.Itoa(number), func(b *Actor) {
			e.actor = b
			e.run()
		})
	}
}

// add records a new conversation.
func (s *Streams) add(plan *StreamPlan) *conversation {
	c := &conversation{plan: plan}
	if s.byName[plan.Number] != nil {
		s.Cast.Failf("two conversations have the number %d", plan.Number)
	}
	s.byName[plan.Number] = c
	s.talks = append(s.talks, c)
	return c
}

// find returns the conversation that the first bytes of a stream name, or nil.
func (s *Streams) find(b []byte) *conversation {
	if len(b) >= word {
		stream, at := decode(binary.LittleEndian.Uint64(b))
		if c := s.byName[stream.Number()]; c != nil && at == 0 {
			return c
		}
	}
	_, rest, found := strings.Cut(string(b), nameMark)
	digits := strings.TrimLeft(rest, "0123456789")
	if !found || digits == "" {
		return nil
	}
	number, _ := strconv.Atoi(rest[:len(rest)-len(digits)])
	return s.byName[number]
}
