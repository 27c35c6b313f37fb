//go:build simulation

package engine

import (
	"cmp"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"sluice/engine/actor"
)

// makeClient starts the actor that is the client of a conversation.
func (x *simulation) makeClient(t *simTalk) *actor.Actor {
	return x.cast.Spawn(fmt.Sprint("client ", t.number), func(a *actor.Actor) {
		a.From = t.from
		a.Pause(t.start)
		if before := x.before(t); before != nil {
			a.Join(before)
		}
		if t.bind.joins {
			a.Until("waits for its address", func() bool { return x.mayConnect(t) })
		}
		t.since, t.dials = x.eldest(), len(x.eras)-1
		switch {
		case t.rejected():
			x.bounce(a, t)
		case t.web != nil:
			x.webs.Converse(a, t.web, t.bind.address)
		default:
			x.converse(a, t)
		}
	})
}

// before returns the client whose end another client waits for before it connects; nil: none. A
// session of the balancer then ends and another one starts at about the same time.
func (x *simulation) before(t *simTalk) *actor.Actor {
	if !x.odds.relay || t.number%3 == 1 {
		return nil
	}
	for i, other := range x.talks {
		if other.number == t.number-1 {
			return x.clients[i]
		}
	}
	return nil
}

// converse runs a client in mode tcp.
func (x *simulation) converse(a *actor.Actor, t *simTalk) {
	if t.stream.First == actor.ServerFirst {
		x.hear(a, t)
		return
	}
	_ = x.streams.Talk(a, t.bind.address, t.stream) // an error has a verdict
}

// hear runs a client whose server sends the first byte. An impolite server may reset the connection
// before the client has seen that it is established.
func (x *simulation) hear(a *actor.Actor, t *simTalk) {
	heard, err := x.streams.Hear(a, t.bind.address, cmp.Or(t.stream.Client.Patience, x.streams.Silence))
	switch {
	case heard || x.doubts.has(cuts|absence) || err != nil && x.lacks(t):
	case err != nil && (x.odds.tame || !errors.Is(err, unix.ECONNRESET)):
		x.failf("client %d cannot connect: %v", t.number, err)
	case x.odds.tame && (t.front.doubts|t.route.back.doubts) == 0:
		x.failf("client %d has heard nothing from its server", t.number)
	}
}

// bounce runs a client that the frontend must reject at once.
func (x *simulation) bounce(a *actor.Actor, t *simTalk) {
	conn, err := a.Dial(t.bind.address)
	if err != nil {
		return
	}
	_, _ = conn.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	if n, err := conn.Read(make([]byte, 100)); n > 0 || err == nil {
		x.failf("client %d is to be rejected at once, and gets %d bytes", t.number, n)
	}
	_ = conn.Close()
}
