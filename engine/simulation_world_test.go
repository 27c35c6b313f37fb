//go:build simulation

package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
	"sluice/engine/plan"
	"sluice/engine/session"
)

// simSizes are the sizes of one world. Small sizes reveal faults that large ones hide.
type simSizes struct {
	loop    session.Sizes
	memory  plan.Memory
	pipes   int  // number of pipes that the process may have
	open    int  // descriptors that the process may open in addition to those at the start; 0: no limit
	tight   bool // the engine's plan has no spare descriptors, so a drain cannot accept more clients than the limits allow
	sockets func(r *rand.Rand) (send, receive int)

	narrowest               int // smallest buffer in bytes that a socket may have
	leastSend, leastReceive int // minimum sizes of the buffers of sockets in bytes; 0: no minimum
}

const usualBudget = 1 << 20

func usualSizes() simSizes {
	z := simSizes{loop: session.DefaultSizes(), pipes: 8, narrowest: 64 << 10}
	z.loop.Events = 64
	z.memory = plan.Memory{Readers: usualBudget, Inspection: usualBudget, Answers: usualBudget, Records: usualBudget}
	z.sockets = func(*rand.Rand) (int, int) { return 64 << 10, 64 << 10 }
	return z
}

// pace contains the weights with which the scheduler chooses the parts of the world.
type pace struct {
	loops           [4]int
	network, actors int
	lag             int  // one of this many steps takes time; 0: none does
	interleaved     bool // other parts of the world do steps in the middle of a loop's step
}

func usualPace(r *rand.Rand) pace {
	p := pace{network: 1 + r.IntN(8), actors: 1 + r.IntN(8)}
	for i := range p.loops {
		p.loops[i] = 1 + r.IntN(8)
	}
	return p
}

// slowLoops lets much happen between two steps of a loop, so that it gets many events at once.
func slowLoops(t *turn[*scene]) {
	by := 1 << (2 + t.IntN(6))
	t.of.pace.network *= by
	t.of.pace.actors *= by
}

// odds are limits for the plans of conversations.
type odds struct {
	tame   bool          // clients and servers have no faults
	large  int           // maximum bytes of large bodies
	fill   int           // maximum bytes of the field X-Fill; 0: no such field
	most   int           // maximum number of requests of a conversation
	spread time.Duration // all clients start within this time
	relay  bool          // two of three clients start when another one ends
	late   bool          // clients start at whole milliseconds
}

func usualOdds() odds { return odds{large: 20 << 10, most: 8, spread: 300 * time.Millisecond} }

// finale is an end of the balancer before the end of the last conversation: a drain, a stop, or
// both. The zero value: none.
type finale struct {
	drain, stop bool
	at          time.Duration
}

// simFault makes some calls of the balancer fail with an error. odds is the probability for each
// call.
type simFault struct {
	call kernel.Call
	err  kernel.Errno
	odds float64
}

// String returns the name of the fault as a part of the plan.
func (f simFault) String() string { return fmt.Sprintf("%s of %s", unix.ErrnoName(f.err), f.call) }

// starves reports whether the error is a lack of memory. After it, the balancer waits before it
// tries again.
func (f simFault) starves() bool { return f.err == unix.ENOMEM || f.err == unix.ENOBUFS }

// flip is the result of a health check at a time.
type flip struct {
	at           time.Duration
	back, server int
	ok           bool
}

var worldKnobs = []knob[*scene]{
	{"two loops", 1, nil, func(t *turn[*scene]) { t.of.loops = 2 }},
	{"one loop", 0.15, nil, func(t *turn[*scene]) { t.of.loops = 1 }},
	{"three loops", 0.15, nil, func(t *turn[*scene]) { t.of.loops = 3 }},
	{"buffer", 0.6, nil, func(t *turn[*scene]) { t.of.sizes.loop.Buffer = 64 << t.IntN(7) }},
	{"store", 0.5, nil, func(t *turn[*scene]) { t.of.sizes.loop.Store = 16 << t.IntN(4) }},
	{"share", 0.5, nil, func(t *turn[*scene]) { t.of.sizes.loop.Share = 100 << t.IntN(10) }},
	{"pump", 0.5, nil, func(t *turn[*scene]) { t.of.sizes.loop.Pump = 512 << t.IntN(6) }},
	{"repeated", 0.3, nil, func(t *turn[*scene]) { t.of.sizes.loop.Repeat = 64 << t.IntN(8) }},
	{"pipe size", 0.5, nil, func(t *turn[*scene]) { t.of.sizes.loop.Pipe = 4096 << t.IntN(5) }},
	{"quiet splices", 0.5, nil, func(t *turn[*scene]) { t.of.sizes.loop.Quiet = 1 << t.IntN(14) }},
	{"accepts", 0.3, nil, func(t *turn[*scene]) { t.of.sizes.loop.Accepts = 1 + t.IntN(4) }},
	{"events", 0.3, nil, func(t *turn[*scene]) { t.of.sizes.loop.Events = 1 + t.IntN(8) }},
	{"tick", 0.2, nil, func(t *turn[*scene]) { t.of.sizes.loop.Tick = 1 + t.IntN(3) }},
	{"pipes", 0.5, nil, func(t *turn[*scene]) { t.of.sizes.pipes = t.IntN(5) }},
	{"readers' budget", 0.3, nil, func(t *turn[*scene]) { t.of.sizes.memory.Readers = tiny(t.Rand) }},
	{"inspection's budget", 0.3, nil, func(t *turn[*scene]) { t.of.sizes.memory.Inspection = tiny(t.Rand) }},
	{"answers' budget", 0.3, nil, func(t *turn[*scene]) { t.of.sizes.memory.Answers = tiny(t.Rand) }},
	{"records' budget", 0.3, nil, func(t *turn[*scene]) { t.of.sizes.memory.Records = tiny(t.Rand) }},
	{"small sockets", 0.4, nil, smallSockets},
	{"mixed sockets", 0.3, nil, mixedSockets},
	{"few descriptors", 0.1, nil, fewDescriptors},
	{"no spare descriptors", 0.3, nil, func(t *turn[*scene]) { t.of.sizes.tight = true }},
	{"maxconn", 0.2, nil, func(t *turn[*scene]) { t.of.most = 1 + t.IntN(5) }},
	{"slow loops", 0.3, nil, slowLoops},
	{"interleaved loops", 0.4, nil, func(t *turn[*scene]) { t.of.pace.interleaved = true }},
	{"few places", 0.1, nil, fewPlaces},
	{"lag", 0.2, nil, func(t *turn[*scene]) { t.of.pace.lag = 20 + t.IntN(500) }},
	{"network without delay", 0.1, nil, func(t *turn[*scene]) { t.of.machine.Delayed = false }},
	{"no fast open", 0.2, nil, func(t *turn[*scene]) { t.of.machine.FastOpen = 0 }},
	{"spurious events", 0.3, nil, func(t *turn[*scene]) { t.of.machine.Spurious = 1 + t.IntN(300) }},
	{"short splices", 0.3, nil, func(t *turn[*scene]) { t.of.machine.ShortSplice = 1 + t.IntN(300) }},
	{"harmless faults", 0.3, nil, func(t *turn[*scene]) { t.of.addFaults(t.Rand, harmless) }},
	{"harmful faults", 0.15, nil, harmfulFaults},
	{"drain", 0.1, nil, func(t *turn[*scene]) { t.of.end(finale{drain: true, at: t.soon()}) }},
	{"stop", 0.1, nil, func(t *turn[*scene]) { t.of.end(finale{drain: t.of.finale.drain, stop: true, at: t.soon()}) }},
	{"tame", 0.3, nil, func(t *turn[*scene]) { t.of.odds.tame = true }},
	{"large bodies", 0.2, nil, func(t *turn[*scene]) { t.of.odds.large = 100 << 10 }},
	{"large heads", 0.2, nil, func(t *turn[*scene]) { t.of.odds.fill = 1 << (6 + t.IntN(9)) }},
	{"relay race", 0.3, nil, func(t *turn[*scene]) { t.of.odds.relay = true }},
	{"crowd", 0.3, nil, func(t *turn[*scene]) { t.of.odds.spread = 1 }},
	{"checks", 0.15, nil, flipServers},
	{"limits", 0.15, nil, changeLimits},
	{"reloads", 0.3, nil, makeReloads},
}

// fewPlaces makes clients wait for places that several loops share, often while the balancer drains.
func fewPlaces(t *turn[*scene]) {
	s := t.of
	s.most, s.loops, s.odds.spread = 1+t.IntN(2), 2+t.IntN(2), time.Millisecond<<t.IntN(12)
	s.pace.interleaved = true
	if t.once(2) {
		s.end(finale{drain: true, at: time.Duration(t.Int64N(int64(s.odds.spread)))})
	}
}

// tiny returns the size in bytes of a budget that is often exhausted.
func tiny(r *rand.Rand) int64 { return 1 + int64(r.IntN(1<<r.IntN(15))) }

// smallSockets gives all sockets the same small buffers. Buffers of less than 8 bytes are rare,
// because they cost many steps.
func smallSockets(t *turn[*scene]) {
	least := 8
	if t.once(8) {
		least = 1
	}
	send, receive := least+t.IntN(1<<t.IntN(14)), least+t.IntN(1<<t.IntN(14))
	t.of.narrow(min(send, receive), func(*rand.Rand) (int, int) { return send, receive })
}

// mixedSockets gives each socket buffers of random sizes.
func mixedSockets(t *turn[*scene]) {
	const least = 8
	t.of.narrow(least, func(r *rand.Rand) (int, int) { return least + r.IntN(1<<r.IntN(18)), least + r.IntN(1<<r.IntN(18)) })
}

// narrow sets the function that returns the sizes of the buffers of sockets.
func (s *scene) narrow(least int, sizes func(*rand.Rand) (int, int)) {
	s.sizes.sockets = sizes
	s.sizes.narrowest = least
}

func fewDescriptors(t *turn[*scene]) {
	t.of.sizes.open = 2 + t.IntN(30)
	t.of.doubts |= refusals | cuts
}

// shorten reduces the sizes of bodies and heads where the buffers of sockets are small, because
// they would cost too many steps. Lack of memory is rarer with small buffers, because each of many
// reads might wait for memory, until a timeout expires.
func (s *scene) shorten() {
	most := 256 * s.sizes.narrowest
	s.odds.large, s.odds.fill = min(s.odds.large, most), min(s.odds.fill, most)
	for i := range s.faults {
		if f := &s.faults[i]; f.starves() {
			f.odds = min(f.odds, float64(min(s.sizes.narrowest, s.sizes.loop.Buffer))/4096)
		}
	}
}

// fitHeads makes buffers large enough for heads if a budget is small. When a budget is exhausted,
// the engine examines heads in their sockets. So each head must fit into the socket's buffer, and
// into the loop's buffer. The receive queue of a UNIX socket is limited by the send buffer of its
// peer.
func (s *scene) fitHeads() {
	z := &s.sizes
	if min(z.memory.Inspection, z.memory.Answers) == usualBudget {
		return
	}
	head := 2<<10 + s.odds.fill
	z.leastReceive = head
	z.loop.Buffer = max(z.loop.Buffer, head)
	if s.overUnix() {
		z.leastSend = 4 * head // Linux announces free space only when at most a quarter is in use
	}
}

// overUnix reports whether a frontend or a server uses a UNIX socket.
func (s *scene) overUnix() bool {
	return slices.ContainsFunc(s.fronts, (*simFront).overUnix) || slices.ContainsFunc(s.backs, (*simBack).overUnix)
}

// end makes the balancer end while conversations are active.
func (s *scene) end(f finale) {
	s.finale = f
	s.doubts |= absence | cuts
}

// harmless are faults that delay conversations at most.
var harmless = []simFault{
	{call: kernel.CallWait, err: unix.EINTR},
	{call: kernel.CallRead, err: unix.EAGAIN},
	{call: kernel.CallRead, err: unix.EINTR},
	{call: kernel.CallPeek, err: unix.EAGAIN},
	{call: kernel.CallWrite, err: unix.EAGAIN},
	{call: kernel.CallWrite, err: unix.EINTR},
	{call: kernel.CallSplice, err: unix.EAGAIN},
	{call: kernel.CallSplice, err: unix.EINTR},
	{call: kernel.CallSplice, err: unix.EINVAL},
	{call: kernel.CallAccept, err: unix.EINTR},
	{call: kernel.CallAccept, err: unix.ENOMEM},
	{call: kernel.CallAccept, err: unix.ENOBUFS},
	{call: kernel.CallAccept, err: unix.EMFILE},
	{call: kernel.CallAccept, err: unix.ENFILE},
	{call: kernel.CallPipe, err: unix.EMFILE},
	{call: kernel.CallPipeSize, err: unix.EPERM},
	{call: kernel.CallRead, err: unix.ENOMEM},
	{call: kernel.CallPeek, err: unix.ENOMEM},
	{call: kernel.CallWrite, err: unix.ENOBUFS},
	{call: kernel.CallWrite, err: unix.ENOMEM},
	{call: kernel.CallSplice, err: unix.ENOMEM},
}

// harmful are faults that may end a connection.
var harmful = []simFault{
	{call: kernel.CallAccept, err: unix.ECONNABORTED},
	{call: kernel.CallSocket, err: unix.EMFILE},
	{call: kernel.CallSocket, err: unix.ENFILE},
	{call: kernel.CallSocket, err: unix.ENOBUFS},
	{call: kernel.CallSocket, err: unix.ENOMEM},
	{call: kernel.CallConnect, err: unix.EADDRNOTAVAIL},
	{call: kernel.CallConnect, err: unix.ENETUNREACH},
	{call: kernel.CallControl, err: unix.ENOMEM},
	{call: kernel.CallControl, err: unix.ENOSPC},
}

func harmfulFaults(t *turn[*scene]) {
	t.of.addFaults(t.Rand, harmful)
	t.of.doubts |= refusals | cuts
}

// addFaults adds some of the faults, with random probabilities.
func (s *scene) addFaults(r *rand.Rand, all []simFault) {
	for range 1 + r.IntN(3) {
		f := all[r.IntN(len(all))]
		f.odds = 1 / float64(int(2)<<r.IntN(9))
		if s.keeps(f.String()) {
			s.faults = append(s.faults, f)
		}
	}
}

// flipServers adds health checks that report servers down and up.
func flipServers(t *turn[*scene]) {
	s := t.of
	for i := range 1 + t.IntN(20) {
		f := flip{at: t.soon(), back: t.IntN(len(s.backs)), ok: t.once(2)}
		b := s.backs[f.back]
		f.server = t.IntN(len(b.servers))
		if !s.keeps(fmt.Sprint("check ", i)) {
			continue
		}
		b.servers[f.server].check = true
		b.doubts |= refusals
		s.flips = append(s.flips, f)
	}
}

// String describes the result of the check for messages.
func (f flip) String() string {
	return fmt.Sprintf("at %v server %d of backend %d: %v", f.at, f.server, f.back, f.ok)
}
