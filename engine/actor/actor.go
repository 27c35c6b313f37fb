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
	Name    string // for traces and failures
	Process *kernel.Process
	// Rand depends on the seed and on the name at the start only. So an actor does the same
	// when other actors are taken out of a simulation.
	Rand *rand.Rand
	Cast *Cast
	// From is the local address of the connections that Dial makes. The zero Address is any.
	From kernel.Address

	program *program
	number  int // by order of start
	next    func() (struct{}, bool)
	stop    func()
	yield   func(struct{}) bool
	wait    wait
	ended   bool
}

// program is a process and the number of its coroutines that run.
type program struct {
	*kernel.Process
	coroutines int
}

// wait is what an actor waits for. The zero value is no wait: the actor can go on.
type wait struct {
	what   string // for people: "reads"
	asleep bool   // until a timer of the kernel clears it
	ready  func() bool
	// socket is waited for until one of events is present, or until it is closed or overdue.
	socket *socket
	events uint32
	wakes  uint64 // 1 more than Wakes of the process when none of events was present; 0: not known
}

// stopped is the panic that ends a coroutine when the cast is stopped.
type stopped struct{}

// pull makes run a coroutine. It does not start it yet.
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

// canGoOn reports whether the actor waits for nothing, or for something that has happened.
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

// Waits says what the actor waits for, such as "client 3 reads".
func (a *Actor) Waits() string { return a.Name + " " + a.wait.what }

// Ended reports whether the function of the actor has returned.
func (a *Actor) Ended() bool { return a.ended }

// Until waits until ready returns true. ready must have no effect. what is for people.
func (a *Actor) Until(what string, ready func() bool) {
	if !ready() {
		a.block(wait{what: what, ready: ready})
	}
}

// Pause waits for a time on the clock of the kernel.
func (a *Actor) Pause(d time.Duration) {
	a.Cast.Kernel.After(d, func() { a.wait.asleep = false })
	a.block(wait{what: "pauses", asleep: true})
}

// Yield lets the scheduler choose again. The actor can go on at once.
func (a *Actor) Yield() { a.block(wait{what: "yields"}) }

// Go starts a second coroutine of the same process. Its name is the actor's name and a suffix.
func (a *Actor) Go(suffix string, run func(b *Actor)) *Actor {
	return a.Cast.start(a.Name+" "+suffix, a.program, run)
}

// Join waits until b has ended.
func (a *Actor) Join(b *Actor) {
	a.Until("waits for "+b.Name, b.Ended)
}

// Logf writes a line to the trace, with the actor's name in front.
func (a *Actor) Logf(format string, args ...any) {
	if a.Cast.Trace != nil {
		a.Cast.Trace(a.Name + " " + fmt.Sprintf(format, args...))
	}
}
