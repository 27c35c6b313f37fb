//go:build simulation

package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/actor"
	"sluice/engine/kernel"
	"sluice/engine/sock"
	"sluice/engine/stat"
)

// simulation is a world that runs: the engine, its clients and its servers, on one model of the
// kernel. All of it runs on one goroutine.
type simulation struct {
	*scene
	rand    *rand.Rand // of the scheduler and of the faults
	kernel  *kernel.Kernel
	process *kernel.Process // of the balancer
	engine  *Engine
	limits  []namedLimit
	cast    *actor.Cast
	webs    *actor.WebWorld
	streams *actor.Streams
	wire    *simWire
	talks   []*simTalk
	clients []*actor.Actor
	resting bool             // no actor can go on, as long as nothing else happens
	left    int              // clients that may not have ended: the first ones
	servers int              // actors that accept for ever
	ended   []bool           // by loop: it has ended
	greeted int              // conversations in which a server spoke first
	greets  map[int]*simBack // by number of such a conversation

	lines   []frontLine
	wrong   []string // what must not have happened
	steps   int
	trace   func(e event) // nil: none
	most    int           // steps after which it counts as endless
	crashed bool          // a panic has ended it
	closed  bool          // its loops are closed
}

// frontLine is a log line, with the frontend that wrote it.
type frontLine struct {
	front *simFront
	text  string
}

// failf records that something happened that must not.
func (x *simulation) failf(format string, args ...any) {
	if len(x.wrong) < mostTold {
		x.wrong = append(x.wrong, fmt.Sprintf(format, args...))
	}
}

// newSimulation prepares the world of a plan.
func newSimulation(p *worldPlan, w watch) (*simulation, error) {
	x := &simulation{scene: setScene(p), rand: p.order("scheduler"), greets: map[int]*simBack{}, trace: w.trace, most: w.most}
	for _, number := range p.talks {
		x.talks = append(x.talks, x.talk(number))
	}
	x.makeKernel()
	x.wire = watchWire(x)
	if err := x.makeEngine(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, x.config())
	}
	x.wire.begin()
	x.makeCast()
	x.spoil()
	return x, nil
}

func (x *simulation) makeKernel() {
	sockets := x.plan.order("buffers of sockets")
	o := x.machine
	o.Seed = x.plan.order("kernel").Uint64()
	o.Buffers = func() (int, int) {
		send, receive := x.sizes.sockets(sockets)
		return max(send, x.sizes.leastSend), max(receive, x.sizes.leastReceive)
	}
	x.watchKernel(&o)
	x.kernel = kernel.New(o)
	x.process = x.kernel.Process("sluice")
	x.process.Strict = true
	sock.Simulate(x.process)
	stat.Simulate(x.kernel.Wall)
}

// descriptors is a limit that no world reaches.
const descriptors = 2000

// makeEngine makes the engine and starts its loops.
func (x *simulation) makeEngine() error {
	c, problems := conf.ParseString("world.cfg", x.config())
	if err := problems.Err(); err != nil {
		return err
	}
	o := Options{Config: c, Plan: MakePlan(c, descriptors), Logger: zap.NewNop(), Access: access.Tap(x.note), sizes: x.sizes.loop}
	o.Plan.Pipes, o.Plan.Memory = x.sizes.pipes, x.sizes.memory
	if x.sizes.tight {
		o.Plan.Nofile = uint64(o.Plan.Descriptors())
	}
	o.probe = &inspector{t: recorder{fail: x.failf}, seldom: 20, loops: make([]inspected, o.Plan.Loops)}
	var err error
	if o.Listeners, err = Listen(c, o.Plan.Loops); err != nil {
		return err
	}
	if x.engine, problems, err = New(o); err != nil {
		return err
	}
	for _, l := range x.engine.loops {
		l.start()
	}
	x.limits = x.engine.limits()
	x.ended = make([]bool, len(x.engine.loops))
	return nil
}

// note keeps a line of the access log.
func (x *simulation) note(to access.Route, _ access.Level, line []byte) {
	for i, f := range x.engine.site.frontends {
		if f.route == to {
			x.tell(logged, "%s", line)
			x.lines = append(x.lines, frontLine{x.fronts[i], string(line)})
			return
		}
	}
	x.failf("a line came to no frontend's log: %s", line)
}

// makeCast starts the servers and the clients.
func (x *simulation) makeCast() {
	x.cast = actor.NewCast(x.kernel)
	x.watchCast()
	x.makeConversations()
	for _, b := range x.backs {
		for _, v := range b.servers {
			x.makeServer(b, v)
		}
	}
	for x.cast.Step() { // servers listen before the first client comes
	}
	for _, t := range x.talks {
		x.clients = append(x.clients, x.makeClient(t))
	}
	x.left = len(x.clients)
	for _, f := range x.flips {
		x.feed(f)
	}
	if f := x.finale; f.drain || f.stop {
		x.kernel.After(f.at, x.finish)
	}
}

// makeConversations makes what judges the conversations.
func (x *simulation) makeConversations() {
	var plans []*actor.WebPlan
	for _, t := range x.talks {
		if t.web != nil && !t.rejected() {
			plans = append(plans, t.web)
		}
	}
	x.webs = actor.NewWebWorld(x.cast, plans)
	x.webs.Rough = x.doubts.has(cuts | absence)
	if x.doubts.has(refusals) {
		x.webs.Own = []int{503}
	}
	x.streams = actor.NewStreams(x.cast)
	x.streams.Excused = x.excused
	if x.pace.lag == 0 && !slices.ContainsFunc(x.faults, simFault.starves) {
		x.streams.Slack = 5 * time.Second
	}
}

// greeting returns the plans of a server that speaks first, or nil.
func (x *simulation) greeting(b *simBack) func() *actor.StreamPlan {
	if !b.greets {
		return nil
	}
	return func() *actor.StreamPlan {
		x.greeted++
		number := firstGreeting + x.greeted
		x.greets[number] = b
		o := x.streamOptions(leastTime(b.patience, b.greetings))
		o.First = actor.ServerFirst
		p := actor.DrawStream(x.plan.source(fmt.Sprint("greeting ", number)), number, "", o)
		x.lighten(p)
		return p
	}
}

// firstGreeting is above the numbers of all conversations in which a client speaks first.
const firstGreeting = 1000

// makeClient starts the client of a conversation.
func (x *simulation) makeClient(t *simTalk) *actor.Actor {
	return x.cast.Spawn(fmt.Sprint("client ", t.number), func(a *actor.Actor) {
		a.From = t.from
		a.Pause(t.start)
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

// converse is a client in mode tcp.
func (x *simulation) converse(a *actor.Actor, t *simTalk) {
	if t.stream.First == actor.ServerFirst {
		x.hear(a, t)
		return
	}
	_ = x.streams.Talk(a, t.bind.address, t.stream) // an error has a verdict
}

// hear is a client that lets its server speak first. A rude server may reset the connection before the
// client has seen that it stands.
func (x *simulation) hear(a *actor.Actor, t *simTalk) {
	heard, err := x.streams.Hear(a, t.bind.address, t.stream.Client.Patience)
	switch {
	case heard || x.doubts.has(cuts|absence):
	case err != nil && (x.odds.tame || !errors.Is(err, unix.ECONNRESET)):
		x.failf("client %d cannot connect: %v", t.number, err)
	case x.odds.tame && (t.front.doubts|t.route.back.doubts) == 0:
		x.failf("client %d has heard nothing from its server", t.number)
	}
}

// bounce is a client that the frontend must reject at once.
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

// spoil makes calls of the balancer fail from now on.
func (x *simulation) spoil() {
	if x.sizes.open > 0 {
		x.process.Limit = 3 + x.process.Open() + x.sizes.open
	}
	x.faults = slices.DeleteFunc(x.faults, x.impossible)
	if len(x.faults) == 0 {
		return
	}
	x.process.Fault = func(c kernel.Call) kernel.Errno {
		for i := range x.faults {
			if f := &x.faults[i]; f.call == c && x.rand.Float64() < f.odds {
				x.tell(incident, "the next %s of the balancer fails: %s", c, unix.ErrnoName(f.err))
				return f.err
			}
		}
		return 0
	}
}

// impossible reports whether Linux could not fail a call so in this world. Where a budget is used
// up, bytes are peeked, passed on and then read. Linux cannot fail to read bytes that it has shown.
func (x *simulation) impossible(f simFault) bool {
	m := x.sizes.memory
	return f.call == kernel.CallRead && f.err != unix.EINTR && min(m.Readers, m.Inspection, m.Answers) < usualBudget
}

// finish drains or stops the balancer.
func (x *simulation) finish() {
	x.webs.Draining = true
	if x.finale.drain {
		x.finale.drain = false
		x.tell(incident, "the balancer is to drain")
		x.engine.Drain()
		if x.finale.stop {
			x.kernel.After(time.Duration(x.rand.Int64N(int64(time.Second))), x.finish)
		}
		return
	}
	x.tell(incident, "the balancer is to stop")
	x.engine.Stop()
}

// over reports whether all conversations have ended, and the balancer has nothing left to do.
func (x *simulation) over() bool {
	for x.left > 0 && x.clients[x.left-1].Ended() {
		x.left--
	}
	return x.left == 0 && x.engine.Sessions() == 0 && !x.busy() && !x.paused() && len(x.cast.Waiting()) == x.servers
}

// paused reports whether a loop has stopped accepting for want of descriptors or memory. Clients that
// have left may be in the queue.
func (x *simulation) paused() bool {
	for i, l := range x.engine.loops {
		if _, armed := l.clock.wheel.Due(ownTimer); armed && !x.ended[i] {
			return true
		}
	}
	return false
}

// recorder passes failures of the inspector to a simulation.
type recorder struct {
	testing.TB
	fail func(format string, args ...any)
}

func (r recorder) Errorf(format string, args ...any) { r.fail(format, args...) }
func (r recorder) Helper()                           {}

// close ends the world. Loops that have crashed are left as they are.
func (x *simulation) close() {
	x.cast.Stop()
	if !x.crashed && !x.closed {
		x.closeLoops()
	}
}

func (x *simulation) closeLoops() {
	x.closed = true
	for _, l := range x.engine.loops {
		l.close()
	}
}
