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
	Cast *Cast // the cast of the clients and servers; failures are reported to it
	// Excused returns the ways in which the balancer may or must end a conversation by itself. nil:
	// none.
	Excused func(p *StreamPlan) Excuse
	// Slack is the time that a conversation may take in addition to its plan. The time starts when
	// both ends know the conversation. 0: any time.
	Slack time.Duration
	// Silence is how long an end waits at most for the other one. 0: for ever.
	Silence time.Duration

	talks  []*conversation // all conversations, in the order of their start
	byName map[int]*conversation
}

// Excuse is a set of ways in which the balancer may end a conversation by itself.
type Excuse uint8

// The excuses.
const (
	Refused Excuse = 1 << iota // the balancer may end the conversation before it connects to a server
	Broken                     // the balancer may reset the conversation at any time
	Cut                        // the balancer may end the conversation at any time, even with FIN
	Denied                     // the balancer must end the conversation before it connects to a server
	Absent                     // the client may fail to connect
)

// conversation is the state of one conversation, with both of its ends.
type conversation struct {
	plan   *StreamPlan
	ends   [2]*end       // by role; nil: the end has not joined yet
	met    time.Duration // time on the kernel's clock when the latest end joined
	judged bool
}

// Roles, as indices of ends.
const (
	client = 0
	server = 1
)

// NewStreams returns an empty set of conversations.
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

// Talk makes the actor the client of a conversation whose plan has ClientFirst or NobodyFirst. It
// returns when the client has left the conversation. An error means that the connection was never
// established.
func (s *Streams) Talk(a *Actor, to kernel.Address, plan *StreamPlan) error {
	c := s.add(plan)
	e := &end{streams: s, actor: a, role: client}
	e.join(c)
	if e.dial(to); e.Dial != nil {
		e.over = true
		s.judge(c)
		return e.Dial
	}
	e.run()
	return nil
}

// Hear makes the actor a client that sends nothing until the server's first bytes have come. These
// bytes identify the plan. heard reports whether they came. The client leaves if none has come
// after patience; 0: it waits without a limit. An error means that the connection was never
// established; a server may have reset it already (ECONNRESET).
func (s *Streams) Hear(a *Actor, to kernel.Address, patience time.Duration) (heard bool, err error) {
	conn, err := a.Dial(to)
	if err != nil {
		return false, err
	}
	e := &end{streams: s, actor: a, role: client, conn: conn, patience: patience}
	e.run()
	return e.talk != nil, nil
}

// Serve makes the actor the server of all connections that a listener accepts, until the listener
// is closed. If the server speaks first, greet returns the plan of each new connection. nil: the
// first bytes of each client identify the plan.
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

// find returns the conversation that the first bytes of a stream identify, or nil.
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
