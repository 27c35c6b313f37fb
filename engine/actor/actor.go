package actor

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"sluice/engine/kernel"
)

// Actor is a client or a server, or one of several coroutines of it.
type Actor struct {
	Name    string          // for traces and failures; unique in its cast
	Process *kernel.Process // owns the descriptors; shared by the coroutines of one actor, see Go
	// Rand is the actor's random source. It depends only on the seed and on the name at the start.
	// So an actor makes the same choices when other actors are removed from a simulation.
	Rand *rand.Rand
	Cast *Cast // the cast that the actor belongs to
	// From is the local address of the connections that Dial makes. The zero Address means any
	// address.
	From kernel.Address

	program *program
	number  int // the actor's number in the order of starts, from 0
	next    func() (struct{}, bool)
	stop    func()
	yield   func(struct{}) bool
	wait    wait
	ended   bool
}

// program is a process and the number of its coroutines that have not ended.
type program struct {
	*kernel.Process
	coroutines int
}

// wait is the condition that an actor waits for. The zero value is no condition: the actor can
// continue.
type wait struct {
	what   string // for traces and failures: "reads"
	asleep bool   // the actor pauses; a timer of the kernel clears this field
	ready  func() bool
	// socket is not nil if the actor waits for a socket. The wait ends when one of events is
	// present, or when the socket is closed or overdue.
	socket *socket
	events uint32
	wakes  uint64 // 1 + Process.Wakes at the last poll, which found none of events; 0: not polled yet
}

// stopped is the panic that ends a coroutine when the cast is stopped.
type stopped struct{}

// pull makes run the coroutine of the actor. The first resume starts it.
func (a *Actor) pull(run func(a *Actor)) {
	a.wait.what = "starts"
	a.next, a.stop = iter.Pull(func(yield func(struct{}) bool) {
		a.yield = yield
		defer a.end()
		run(a)
	})
}

// end is called when the coroutine has returned or panicked.
func (a *Actor) end() {
	v := recover()
	a.ended = true
	a.program.coroutines--
	if _, ordered := v.(stopped); v != nil && !ordered {
		panic(fmt.Sprintf("actor %s: %v\n%s", a.Name, v, debug.Stack()))
	}
	if a.program.coroutines == 0 && !a.Cast.stopping {
		a.Process.Exit()
	}
}

// canGoOn reports whether the actor can continue: it waits for nothing, or its condition is true.
func (a *Actor) canGoOn() bool {
	w := &a.wait
	switch {
	case w.asleep:
		return false
	case w.socket != nil && w.wakes == a.Process.Wakes+1:
		return w.socket.closed || w.socket.overdue()
	case w.socket != nil && w.socket.has(w.events):
		return true
	case w.socket != nil:
		w.wakes = a.Process.Wakes + 1
		return false
	}
	return w.ready == nil || w.ready()
}

// block gives control to the scheduler until the wait is over.
func (a *Actor) block(w wait) {
	a.wait = w
	if a.Cast.stopping || !a.yield(struct{}{}) {
		panic(stopped{})
	}
	a.wait = wait{what: "runs"}
}

// Waits returns the actor's name and the reason for its wait, such as "client 3 reads".
func (a *Actor) Waits() string { return a.Name + " " + a.wait.what }

// Ended reports whether the function of the actor has returned.
func (a *Actor) Ended() bool { return a.ended }

// Until waits until ready returns true. ready must have no side effect. what is the reason for the
// wait, for traces and failures.
func (a *Actor) Until(what string, ready func() bool) {
	if !ready() {
		a.block(wait{what: what, ready: ready})
	}
}

// Pause waits until d has passed on the clock of the kernel.
func (a *Actor) Pause(d time.Duration) {
	a.Cast.Kernel.After(d, func() { a.wait.asleep = false })
	a.block(wait{what: "pauses", asleep: true})
}

// Yield returns control to the scheduler once. The actor can continue at once.
func (a *Actor) Yield() { a.block(wait{what: "yields"}) }

// Go starts another coroutine of the same process. Its name is the actor's name, a space and
// suffix.
func (a *Actor) Go(suffix string, run func(b *Actor)) *Actor {
	return a.Cast.start(a.Name+" "+suffix, a.program, run)
}

// Join waits until b has ended.
func (a *Actor) Join(b *Actor) {
	a.Until("waits for "+b.Name, b.Ended)
}

// Logf passes a line to the trace, with the actor's name before it. Without a trace it does
// nothing.
func (a *Actor) Logf(format string, args ...any) {
	if a.Cast.Trace != nil {
		a.Cast.Trace(a.Name + " " + fmt.Sprintf(format, args...))
	}
}
