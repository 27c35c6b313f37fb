package actor

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sluice/engine/kernel"
)

// webScene is some conversations in mode http through a proxy.
type webScene struct {
	seed    uint64
	count   int
	delayed bool
	direct  bool // without a proxy
	unix    bool // clients connect to the proxy over UNIX sockets
	shape   WebShape
	sin     string
	change  func(p *WebPlan)
	trace   func(line string)

	proxy *webProxy
	plans []*WebPlan
}

func webAddress(port uint16, unix bool) kernel.Address {
	if unix {
		return kernel.Address{Path: fmt.Sprint("@", port)}
	}
	return kernel.Address{IP: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}
}

// play runs the scene and returns its failures.
func (x *webScene) play() []string {
	k := kernel.New(kernel.Options{Seed: x.seed, Delayed: x.delayed, Buffers: buffersOf(x.seed)})
	c := NewCast(k)
	defer c.Stop()
	c.Trace = x.trace
	for i := range x.count {
		p := DrawWeb(rand.New(rand.NewPCG(x.seed, uint64(i))), &x.shape, i+1)
		if x.change != nil {
			x.change(p)
		}
		x.plans = append(x.plans, p)
	}
	w := NewWebWorld(c, x.plans)
	backends := map[string][]kernel.Address{}
	for i, name := range []string{"one", "two", "two"} {
		at := webAddress(uint16(8000+i), x.shape.UnixServers)
		backends[name] = append(backends[name], at)
		w.Serve(WebServer{Name: fmt.Sprint("server", i), Backend: name, At: at, Backlog: 10})
	}
	x.proxy = &webProxy{WebWorld: w, at: webAddress(80, x.unix), backends: backends, patience: time.Second, sin: x.sin}
	c.Spawn("proxy", x.proxy.run)
	for i, p := range x.plans {
		c.Spawn(fmt.Sprint("client ", i+1), func(a *Actor) {
			a.Pause(time.Duration(a.Rand.IntN(10)) * time.Millisecond)
			to := x.proxy.at
			if x.direct {
				to = webAddress(8000, x.shape.UnixServers)
			}
			w.Converse(a, p, to)
		})
	}
	play(c)
	for _, a := range c.Waiting() {
		if !strings.HasSuffix(a.Waits(), "accepts") {
			c.Failf("%s for ever", a.Waits())
		}
	}
	for _, v := range k.Violations() {
		c.Failf("%s", v)
	}
	return c.Failures()
}

// tamed takes out of a plan what the proxy of the tests cannot read.
func tamed(p *WebPlan) {
	for i := range p.Requests {
		q := &p.Requests[i]
		q.Odd, q.Answer.Odd, q.Halts = "", "", false
		if q.Malformed == "unknown coding" {
			q.Malformed = "empty coding"
		}
	}
}

// webShape is a shape for tests.
func webShape() WebShape {
	return WebShape{
		Hosts:    []WebHost{{Name: "one.test", Backend: "one"}, {Name: "two.test", Backend: "two"}},
		Paths:    []string{"", "/a"},
		Upgrades: true, Connects: true, Patience: time.Second, Large: 6000, Fill: 900, Repeats: 2 << 10,
		Effects: []func(r *rand.Rand, q *WebRequest){func(r *rand.Rand, q *WebRequest) {
			if r.IntN(12) == 0 {
				q.Fields = append(q.Fields, "X-Refuse: yes")
				q.Expect.Answer, q.Expect.Text = 403, "no"
			}
		}},
	}
}

// newWebScene returns the scene of a seed.
func newWebScene(seed uint64) *webScene {
	x := &webScene{seed: seed, count: 10, delayed: seed%4 > 0, shape: webShape(), change: tamed}
	x.unix, x.shape.UnixServers = seed%5 == 0, seed%7 == 0
	return x
}

// TestWebDirect: clients and servers that do nothing wrong are connected without a proxy.
func TestWebDirect(t *testing.T) {
	for i := range *scenes {
		x := newWebScene(*seed + uint64(i))
		x.direct, x.change = true, plain
		x.shape.Tame, x.shape.Effects, x.shape.Hosts = true, nil, []WebHost{{Name: "one.test", Backend: "one"}}
		if wrong := x.play(); len(wrong) > 0 {
			x.fail(t, wrong)
			return
		}
	}
}

// plain takes out of a plan what a balancer between client and server would hide.
func plain(p *WebPlan) {
	tamed(p)
	for i := range p.Requests {
		q := &p.Requests[i]
		q.Old, q.Close, q.Keep, q.Answer.Old, q.Answer.Close = false, false, false, false, false
		if q.untilEnd() {
			q.Answer.Framing = ByLength
		}
	}
}

// TestWebTalks: random conversations through a proxy that does nothing wrong.
func TestWebTalks(t *testing.T) {
	for i := range *scenes {
		x := newWebScene(*seed + uint64(i))
		if wrong := x.play(); len(wrong) > 0 {
			x.fail(t, wrong)
			return
		}
	}
}

// fail prints the failures with the plans that they name.
func (x *webScene) fail(t *testing.T, wrong []string) {
	t.Helper()
	t.Errorf("-actor.seed %d (sin %q): %d failures:", x.seed, x.sin, len(wrong))
	for _, text := range wrong[:min(len(wrong), 5)] {
		t.Errorf("%s", text)
		for _, p := range x.plans {
			if strings.HasPrefix(text, fmt.Sprintf("conversation %d ", p.Number)) {
				t.Logf("%v", p)
			}
		}
	}
}

var scenes = flag.Int("actor.scenes", 200, "random scenes of each kind of conversations in mode http")

// webSins are what the proxy of the tests can do wrong.
var webSins = []string{
	"lets a malformed request through",
	"lets a refused request through",
	"says nothing after a failure",
	"chooses a wrong backend",
	"repeats a POST",
	"repeats nothing",
	"changes a byte of a request",
	"shortens a request",
	"shortens a field",
	"sends a request twice",
	"passes interim answers to HTTP/1.0",
	"ends a part with FIN",
	"goes on behind the end",
	"resets behind the answer",
	"adds bytes behind the last answer",
	"ends behind an answer",
	"takes added bytes for an answer",
	"gives the answer before once more",
	"changes a byte of an answer",
	"shortens an answer",
	"ends chunks early",
	"changes a status",
	"resets a tunnel",
	"gives another client's answer",
	"refuses a request for nothing",
	"says nothing",
	"completes a request",
}

// TestWebSins: whatever the proxy does wrong is found.
func TestWebSins(t *testing.T) {
	for _, sin := range webSins {
		t.Run(sin, func(t *testing.T) {
			sins := 0
			for i := range 1500 {
				x := newWebScene(*seed + uint64(i))
				x.sin = sin
				if wrong := x.play(); len(wrong) > 0 {
					t.Logf("found in scene %d, where it happened %d times: %s", i, x.proxy.sins, wrong[0])
					return
				}
				sins += x.proxy.sins
			}
			t.Errorf("-actor.seed %d: it happened %d times, and nobody found it", *seed, sins)
		})
	}
}
