//go:build simulation

package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/actor"
	"sluice/engine/kernel"
	"sluice/engine/listen"
	"sluice/engine/plan"
	"sluice/engine/session"
	"sluice/engine/sock"
	"sluice/pool"
	"sluice/pool/stat"
)

// simulation is a running world: the engine, its clients and its servers, on one model of the
// kernel. All of it runs on one goroutine.
type simulation struct {
	*scene
	rand    *rand.Rand // random source of the scheduler and of the faults
	kernel  *kernel.Kernel
	process *kernel.Process // the balancer's process
	engine  *Engine
	limits  []*namedLimit
	met     [][][]*pool.Server // by backend and server of the world: all servers with that name so far
	metAt   [][]*pool.Frontend // by frontend of the world: all frontends with its names so far
	eras    []*era             // all configurations that were the newest one, in order
	operator
	cast     *actor.Cast
	webs     *actor.WebWorld
	streams  *actor.Streams
	wire     *simWire
	talks    []*simTalk
	clients  []*actor.Actor
	resting  bool             // no actor can continue until something else happens
	left     int              // number of clients, from the first on, that may not have ended; the others have
	servers  int              // number of actors that accept connections and never end by themselves
	ended    []bool           // whether each loop has ended
	stepping *session.Loop    // the loop that is in the middle of a step; nil: none
	acting   *session.Loop    // the loop whose step is under way: stepping, or another one beside it
	beside   bool             // other parts of the world do steps in the middle of that step
	greeted  int              // number of conversations in which the server sends the first byte
	greets   map[int]*simBack // backend of each such conversation, by its number

	lines   []frontLine
	wrong   []string // messages of failures
	steps   int
	trace   func(e event) // called for each event of the world; nil: no trace
	most    int           // steps after which the world counts as endless
	crashed bool          // a panic has ended the world
	closed  bool          // the loops are closed
	few     int           // number of descriptors that are open at the start, without listening sockets
}

// frontLine is a log line and its frontend.
type frontLine struct {
	front  *simFront
	text   string
	stamp  string // see draft.stamp; empty: none
	newest int    // index in eras of the newest configuration at that time
	at     time.Duration
}

// failf records a failure of the world.
func (x *simulation) failf(format string, args ...any) {
	if len(x.wrong) < mostTold {
		x.wrong = append(x.wrong, fmt.Sprintf(format, args...))
	}
}

// newSimulation makes the world of a plan, up to its start.
func newSimulation(p *worldPlan, w watching) (*simulation, error) {
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
	stat.Interleave(nil)
	if x.pace.interleaved {
		stat.Interleave(x.interleave)
	}
}

// descriptors is a limit of descriptors that no world reaches.
const descriptors = 2000

// makeEngine makes the engine and starts its loops.
func (x *simulation) makeEngine() error {
	c, problems := conf.ParseString("world.cfg", x.config())
	if err := problems.Err(); err != nil {
		return err
	}
	made, err := compiled(c)
	if err != nil {
		return err
	}
	o := Options{Site: made, Plan: plan.Make(c, descriptors), Logger: zap.NewNop(), Access: access.Tap(x.note), sizes: x.sizes.loop}
	o.Plan.Pipes, o.Plan.Memory = x.sizes.pipes, x.sizes.memory
	if x.sizes.tight {
		o.Plan.Nofile = uint64(o.Plan.Descriptors())
	}
	inspect(recorder{fail: x.failf}, &o)
	o.probe.(*inspector).seldom = 20
	if o.Listeners, err = listen.Open(c, o.Plan.Loops); err != nil {
		return err
	}
	if x.engine, err = New(o); err != nil {
		return err
	}
	x.engine.aside, x.engine.after = x.closeSite, x.doAfter
	x.meet()
	x.beginEra(firstLabel, nil)
	x.followLimits()
	x.ended = make([]bool, len(x.engine.Loops))
	return nil
}

// note stores a line of the access log.
func (x *simulation) note(to access.Route, _ access.Level, line []byte) {
	for _, one := range x.engine.live {
		for _, f := range x.fronts {
			for _, name := range f.names() {
				if s := one.site.Frontend(name); s != nil && s.Route == to {
					x.tell(logged, "%s", line)
					x.lines = append(x.lines, x.frontLine(f, string(line)))
					return
				}
			}
		}
	}
	x.failf("a line came to no frontend's log: %s", line)
}

// frontLine returns a log line without its stamp.
func (x *simulation) frontLine(f *simFront, text string) frontLine {
	l := frontLine{front: f, text: text, newest: len(x.eras) - 1, at: x.kernel.Now()}
	if x.stamps && f.log == logOfOurs {
		l.stamp, l.text, _ = strings.Cut(text, " ")
	}
	return l
}

// makeCast starts the servers and the clients.
func (x *simulation) makeCast() {
	x.cast = actor.NewCast(x.kernel)
	x.watchCast()
	x.makeConversations()
	for _, b := range x.backs {
		for _, v := range b.servers {
			x.makeServer(b, v)
			if v.second != (kernel.Address{}) {
				second := *v
				second.address = v.second
				x.makeServer(b, &second)
			}
		}
	}
	for x.cast.Step() { // so that servers listen before the first client connects
	}
	for _, t := range x.talks {
		x.clients = append(x.clients, x.makeClient(t))
	}
	x.left = len(x.clients)
	for _, f := range x.flips {
		x.feed(f)
	}
	for _, c := range x.changes {
		x.change(c)
	}
	for _, r := range x.reloads {
		x.callFor(r)
	}
	if f := x.finale; f.drain || f.stop {
		x.kernel.After(f.at, x.finish)
	}
}

// makeConversations makes the two objects that check the conversations, for mode http and for mode
// tcp.
func (x *simulation) makeConversations() {
	var plans []*actor.WebPlan
	for _, t := range x.talks {
		if t.web != nil && !t.rejected() {
			plans = append(plans, t.web)
		}
	}
	x.webs = actor.NewWebWorld(x.cast, plans)
	x.webs.Rough = x.doubts.has(cuts | absence)
	x.webs.Drains = x.drains
	x.webs.Keeps = x.doubts == 0 && len(x.faults) == 0 && len(x.flips) == 0 && !x.weightless() && !x.serversChange
	if len(x.reloads) > 0 {
		x.webs.Sites = simSites{x}
	}
	if x.doubts.has(refusals) {
		x.webs.Own = []int{503}
	}
	x.streams = actor.NewStreams(x.cast)
	x.streams.Excused = x.excused
	if x.pace.lag == 0 && !slices.ContainsFunc(x.faults, simFault.starves) {
		x.streams.Slack = 5 * time.Second
	}
	if x.forgets {
		x.streams.Silence = 30 * time.Minute
	}
}

// greeting returns the function that makes the plan of each connection to the backend b. nil: the
// clients send the first byte there, so they have the plans.
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

// firstGreeting is larger than the numbers of all conversations in which the client sends the first
// byte.
const firstGreeting = 1000

// finish drains or stops the balancer, as the finale demands.
func (x *simulation) finish() {
	x.webs.Draining = true
	switch {
	case x.finale.drain:
		x.finale.drain = false
		x.drain()
	case x.finale.stop:
		x.tell(incident, "the balancer is to stop")
		x.engine.Stop()
	}
}

// drain drains the balancer. As Engine.Drain does, it waits until all loops have taken the site of a
// reload.
func (x *simulation) drain() {
	x.tell(incident, "the balancer is to drain")
	if x.engine.leaving.Store(true); x.reload != nil {
		x.later = append(x.later, x.drain)
		return
	}
	x.engine.Drain()
	if x.finale.stop {
		x.kernel.After(time.Duration(x.rand.Int64N(int64(time.Second))), x.finish)
	}
}

// weightless reports whether a server has weight 0. A cookie may lead to it, but the next request need
// not stay there.
func (x *simulation) weightless() bool {
	return slices.ContainsFunc(x.backs, func(b *simBack) bool {
		return slices.ContainsFunc(b.servers, func(v *simServer) bool { return v.weight == 0 })
	})
}

// drains reports whether all loops drain that have not ended.
func (x *simulation) drains() bool {
	for i, l := range x.engine.Loops {
		if !l.Draining && !x.ended[i] {
			return false
		}
	}
	return true
}

// over reports whether all conversations have ended, and the balancer has nothing left to do.
func (x *simulation) over() bool {
	for x.left > 0 && x.clients[x.left-1].Ended() {
		x.left--
	}
	return x.left == 0 && x.engine.Sessions() == 0 && !x.busy() && !x.paused() && len(x.cast.Waiting()) == x.servers
}

// paused reports whether a loop does not accept connections, for lack of descriptors or memory. The
// accept queue may still contain connections that clients have ended.
func (x *simulation) paused() bool {
	for i, l := range x.engine.Loops {
		if _, armed := l.Reactor.Due(session.OwnTimer); armed && !x.ended[i] {
			return true
		}
	}
	return false
}

// close ends the actors and closes the loops. After a panic, the loops are not closed, because
// their state is unknown.
func (x *simulation) close() {
	x.cast.Stop()
	if !x.crashed && !x.closed {
		x.closeLoops()
	}
}

func (x *simulation) closeLoops() {
	x.closed = true
	for _, l := range x.engine.Loops {
		l.Close()
	}
	x.engine.endAll()
}
