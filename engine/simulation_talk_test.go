//go:build simulation

package engine

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"sluice/engine/actor"
	"sluice/engine/kernel"
	"sluice/engine/session"
)

// simClient is the client of a conversation.
type simClient struct {
	number int
	front  *simFront
	bind   *simBind
	key    bindKey        // names bind
	from   kernel.Address // local address; zero: the client connects to a UNIX socket
	outlaw bool           // its address is in outlawNet, which some frontends reject
	start  time.Duration

	since int             // index in eras of the oldest configuration in use when the client begins to connect
	dials int             // index in eras of the newest configuration at that time
	asked map[int]*asking // mode http: what is known when the client begins to send a request, by its number

	latest  *asking       // mode http: the one of asked that was made last; nil: none
	home    *session.Loop // loop that has accepted the client; nil: not known
	accepts int           // number of its connections that were accepted
	name    int           // with home: index in names of the frontend that has accepted it
	bound   int           // with home: index in eras of the configuration at that time
}

// frontOf returns the frontend of a conversation.
func (s *scene) frontOf(number int) *simFront {
	return s.fronts[s.plan.source(fmt.Sprint("front of ", number)).IntN(len(s.fronts))]
}

// client makes the client of a conversation. Each client has an address of its own.
func (s *scene) client(number int) *simClient {
	r := s.plan.source(fmt.Sprint("client ", number))
	f := s.frontOf(number)
	key := bindKey{f, r.IntN(len(f.binds))}
	c := &simClient{asked: map[int]*asking{}, number: number, front: f, key: key, bind: &f.binds[key.index], outlaw: r.IntN(4) == 0,
		start: time.Duration(r.Int64N(int64(s.odds.spread)))}
	if s.odds.late {
		c.start = c.start.Truncate(time.Millisecond)
	}
	if s.plan.with != nil && !s.keeps(fmt.Sprint("start of client ", number)) {
		c.start = 0
	}
	if !c.bind.address.IsUnix() {
		c.from = kernel.Address{IP: netip.AddrPortFrom(netip.AddrFrom4(addressOf(number, c.outlaw)), 0)}
	}
	return c
}

func addressOf(number int, outlaw bool) [4]byte {
	a := [4]byte{127, 1, byte(number >> 8), byte(number)}
	if outlaw {
		a[1] = outlawNet
	}
	return a
}

// rejected reports whether the frontend closes the client's connection at once.
func (c *simClient) rejected() bool { return c.front.rejects && c.outlaw && !c.bind.address.IsUnix() }

// simTalk is a conversation: its client and the plan of its bytes.
type simTalk struct {
	*simClient
	web    *actor.WebPlan    // plan in mode http; otherwise nil
	route  *simRoute         // route in mode tcp; otherwise nil
	stream *actor.StreamPlan // plan in mode tcp; otherwise nil
}

// String describes the conversation for messages.
func (t *simTalk) String() string {
	head := fmt.Sprintf("client %d of %s at %v to %v: ", t.number, t.front.name, t.start, t.bind.address)
	if t.web != nil {
		return head + t.web.String()
	}
	return head + t.stream.String()
}

// talk makes a conversation.
func (s *scene) talk(number int) *simTalk {
	r := s.plan.source(fmt.Sprint("talk ", number))
	t := &simTalk{simClient: s.client(number)}
	if t.front.http {
		t.web = actor.DrawWeb(r, s.shape(t.front), number)
		s.lighten(t.web)
		return t
	}
	t.route = &t.front.routes[r.IntN(len(t.front.routes))]
	t.stream = s.drawStream(r, t)
	s.lighten(t.stream)
	s.hurry(t)
	return t
}

// hurry makes the expected route of a stream certain. A client that is silent for longer than
// inspect-delay gets the default backend. But inspect-delay may begin late if clients are not
// accepted at once. So a pause near or above it is shortened, unless the result is certain.
func (s *scene) hurry(t *simTalk) {
	const about = 50 * time.Millisecond
	if len(t.stream.Client.Pieces) == 0 || t.front.inspect == 0 {
		return
	}
	if s.sizes.memory.Inspection < usualBudget {
		t.stream.Client.Urgent = 0 // a peek never passes an urgent byte, so the client would be refused at the end
	}
	atOnce := s.most+t.front.most+t.bind.most+s.sizes.open+len(s.faults)+len(s.changes)+len(s.reloads) == 0
	switch first := &t.stream.Client.Pieces[0]; {
	case first.Pause > t.front.inspect+about && atOnce:
		t.route = &t.front.routes[0]
		return
	case first.Pause > t.front.inspect-about:
		first.Pause = t.front.inspect / 2
	}
	s.hurryOn(t)
}

// hurryOn shortens the pauses before the bytes that the rules may need, so that all of them come within
// inspect-delay. Bytes without a prefix may look like the start of a head for some time.
func (s *scene) hurryOn(t *simTalk) {
	const undecided = 16
	need, sent, waited := len(t.stream.Prefix)+undecided, 0, time.Duration(0)
	for i := range t.stream.Client.Pieces {
		if sent >= need {
			return
		}
		p := &t.stream.Client.Pieces[i]
		p.Pause = min(p.Pause, max(0, t.front.inspect*3/4-waited))
		sent, waited = sent+p.Size, waited+p.Pause
	}
}

// lighten removes the parts of a conversation that the plan of the world does not keep.
func (s *scene) lighten(p interface{ Keep(func(part string) bool) }) {
	if s.plan.with != nil {
		p.Keep(s.keeps)
	}
}

// streamOptions returns the limits for drawing the plans of streams. patience is the shortest
// timeout.
func (s *scene) streamOptions(patience time.Duration) actor.StreamOptions {
	return actor.StreamOptions{Polite: s.odds.tame, Large: s.odds.large, Silence: 2 * patience, Pause: patience / 8, Slow: patience / 8 * 7}
}

// drawStream draws the plan of a conversation in mode tcp.
func (s *scene) drawStream(r *rand.Rand, t *simTalk) *actor.StreamPlan {
	o := s.streamOptions(t.front.patience)
	name, back := actor.NameOf(t.number), t.route.back
	head := fmt.Sprintf("GET /%s HTTP/1.1\r\nHost: %s\r\n\r\n", name, t.route.host)
	hello := string(clientHello(t.route.host, name))
	routed := t.route != &t.front.routes[0]
	switch {
	case back != nil && back.greets:
		o.First = actor.ServerFirst
	case !routed && r.IntN(8) == 0:
		o.First = actor.NobodyFirst
	case !routed && r.IntN(2) == 0:
	default:
		return actor.DrawStream(s.plan.source("stream "+name), t.number, among(r, head, hello), o)
	}
	return actor.DrawStream(s.plan.source("stream "+name), t.number, "", o)
}

// clientHello returns a TLS ClientHello with a server name, and with another name as ALPN protocol.
func clientHello(host, protocol string) []byte {
	sized := func(size int, parts ...[]byte) (b []byte) {
		for _, p := range parts {
			b = append(b, p...)
		}
		var head [4]byte
		binary.BigEndian.PutUint32(head[:], uint32(len(b)))
		return append(head[4-size:], b...)
	}
	sni := sized(2, sized(2, []byte{0}, sized(2, []byte(host))))
	alpn := sized(2, sized(2, sized(1, []byte(protocol+" "))))
	body := sized(3,
		[]byte{3, 3}, make([]byte, 32), // version, random
		sized(1),                     // session
		sized(2, []byte{0x13, 0x01}), // cipher suites
		sized(1, []byte{0}),          // compression
		sized(2, []byte{0, 0}, sni, []byte{0, 16}, alpn))
	return append([]byte{0x16, 3, 1}, sized(2, []byte{1}, body)...)
}
