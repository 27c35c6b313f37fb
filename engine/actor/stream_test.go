package actor

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

var seed = flag.Uint64("actor.seed", uint64(time.Now().UnixNano()), "seed of the random conversations")

var (
	overTCP  = kernel.Address{IP: netip.MustParseAddrPort("127.0.0.1:80")}
	behind   = kernel.Address{IP: netip.MustParseAddrPort("127.0.0.1:8080")} // the relay
	overUNIX = kernel.Address{Path: "@server"}
)

// scene is some random conversations of clients and one server that are connected directly, or
// by a relay.
type scene struct {
	seed    uint64
	count   int
	at      kernel.Address // of the server
	delayed bool
	options StreamOptions
	prefix  bool
	parts   bool   // some parts of the plans are taken out
	relay   *relay // nil: clients and server are connected directly
	trace   func(line string)
}

// play runs the scene and returns its streams.
func (x *scene) play() *Streams {
	k := kernel.New(kernel.Options{Seed: x.seed, Delayed: x.delayed, Buffers: buffersOf(x.seed)})
	c := NewCast(k)
	defer c.Stop()
	c.Trace = x.trace
	s := NewStreams(c)
	to := x.at
	c.Spawn("server", func(a *Actor) { x.serve(s, a) })
	if x.relay != nil {
		to = x.relay.at
		c.Spawn("relay", x.relay.run)
	}
	for i := range x.count {
		number := i + 1
		c.Spawn(fmt.Sprint("client ", number), func(a *Actor) {
			a.Pause(time.Duration(a.Rand.IntN(10)) * time.Millisecond)
			x.talk(s, a, to, number)
		})
	}
	play(c)
	s.Finish()
	for _, a := range c.Waiting() {
		if strings.HasPrefix(a.Name, "client") || strings.HasPrefix(a.Name, "server ") {
			c.Failf("%s: nothing is left to do", a.Waits())
		}
	}
	for _, v := range k.Violations() {
		c.Failf("%s", v)
	}
	return s
}

// talk is a client.
func (x *scene) talk(s *Streams, a *Actor, to kernel.Address, number int) {
	if x.options.First != ServerFirst {
		_ = s.Talk(a, to, x.plan(a.Rand, number)) // an error has a verdict
		return
	}
	if _, err := s.Hear(a, to, 0); err != nil && !errors.Is(err, unix.ECONNRESET) {
		a.Cast.Failf("%s cannot connect: %v", a.Name, err)
	}
}

// serve is the server.
func (x *scene) serve(s *Streams, a *Actor) {
	l, err := a.Listen(x.at, 10)
	if err != nil {
		a.Cast.Failf("%v", err)
		return
	}
	greeted := 0
	greet := func() *StreamPlan {
		greeted++
		return DrawStream(a.Rand, greeted, "", x.options)
	}
	if x.options.First != ServerFirst {
		greet = nil
	}
	s.Serve(a, l, greet)
}

// plan draws the plan of a conversation.
func (x *scene) plan(r *rand.Rand, number int) *StreamPlan {
	prefix := ""
	if x.prefix {
		prefix = "GET /" + NameOf(number) + " HTTP/1.1\r\nHost: here\r\n\r\n"
	}
	p := DrawStream(r, number, prefix, x.options)
	if x.parts {
		p.Keep(random(r))
	}
	return p
}

// buffersOf returns sizes of buffers, which are small in half of the scenes.
func buffersOf(seed uint64) func() (int, int) {
	if seed%2 == 0 {
		return nil
	}
	r := rand.New(rand.NewPCG(seed, 1))
	return func() (int, int) { return 500 + r.IntN(5000), 500 + r.IntN(5000) }
}

// fail prints what failed in a scene, with its trace.
func (x *scene) fail(t *testing.T, s *Streams) {
	t.Helper()
	t.Errorf("scene %+v", *x)
	for _, f := range s.Cast.Failures() {
		t.Errorf("  %s", f)
	}
	lines := 0
	x.trace = func(line string) {
		if lines++; lines < 300 {
			t.Log(line)
		}
	}
	x.play()
}

// Random conversations over the model of the kernel obey all verdicts.
func TestStreams(t *testing.T) {
	t.Logf("-actor.seed=%d", *seed)
	r := rand.New(rand.NewPCG(*seed, 0))
	for _, at := range []kernel.Address{overTCP, overUNIX} {
		for _, delayed := range []bool{false, true} {
			for _, first := range []Speaker{ClientFirst, ServerFirst, NobodyFirst} {
				t.Run(fmt.Sprintf("%v, delayed %t, first %d", at, delayed, first), func(t *testing.T) {
					for range 100 {
						x := &scene{seed: r.Uint64(), count: 1 + r.IntN(20), at: at, delayed: delayed, prefix: r.IntN(2) == 0,
							options: StreamOptions{First: first, Polite: r.IntN(4) == 0}}
						if s := x.play(); len(s.Cast.Failures()) > 0 {
							x.fail(t, s)
							return
						}
					}
				})
			}
		}
	}
}
