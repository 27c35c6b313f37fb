package actor

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"sluice/engine/kernel"
)

// Streams are the conversations in mode tcp of one simulation.
type Streams struct {
	Cast *Cast
	// Excused returns what the balancer may or must do to a conversation by itself. nil: nothing.
	Excused func(p *StreamPlan) Excuse
	// Slack is how much longer than its plan says a conversation may take, from when both ends know
	// each other. 0: any time.
	Slack time.Duration

	talks  []*conversation // in order of their start
	byName map[int]*conversation
}

// Excuse says what the balancer may do to a conversation by itself.
type Excuse uint8

// The excuses.
const (
	Refused Excuse = 1 << iota // it may end the conversation before a server is connected
	Broken                     // it may reset the conversation at any time
	Cut                        // it may end the conversation at any time, even with FIN
	Denied                     // it must end the conversation before a server is connected
)

// conversation is what is known about both ends of one conversation.
type conversation struct {
	plan   *StreamPlan
	ends   [2]*end       // by role; nil: has not taken part yet
	met    time.Duration // when the second of the ends joined
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

// Talk lets the actor be the client of a conversation whose plan says ClientFirst or NobodyFirst.
// It returns when the conversation is over for the client. The error says that the connection
// never stood.
func (s *Streams) Talk(a *Actor, to kernel.Address, plan *StreamPlan) error {
	c := s.add(plan)
	e := &end{streams: s, actor: a, role: client}
	e.join(c)
	if e.conn, e.Dial = a.Dial(to); e.Dial != nil {
		e.over = true
		s.judge(c)
		return e.Dial
	}
	e.run()
	return nil
}

// Hear lets the actor be a client that is silent until the server has sent its first bytes. They
// say which plan to follow. heard reports whether they came. The client leaves if none has come when
// its patience is over; 0: it waits for ever. The error says that the connection never stood; a server
// may have reset it already (ECONNRESET).
func (s *Streams) Hear(a *Actor, to kernel.Address, patience time.Duration) (heard bool, err error) {
	conn, err := a.Dial(to)
	if err != nil {
		return false, err
	}
	e := &end{streams: s, actor: a, role: client, conn: conn, patience: patience}
	e.run()
	return e.talk != nil, nil
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
		a.Go(strconv.Itoa(number), func(b *Actor) {
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
