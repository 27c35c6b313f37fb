package engine

import (
	"errors"
	"fmt"
	"runtime"

	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/acl"
	"sluice/engine/reactor"
	"sluice/engine/relay"
	"sluice/engine/site"
	"sluice/engine/sock"
	"sluice/sniff"
)

// generations is the maximum number of sites that may be in use at the same time.
const generations = 64

// loop runs the sessions that its listeners accept. Its fields are used only on its own
// goroutine.
type loop struct {
	process *process
	sites   [generations]*site.Site // by the number that a session holds
	newest  uint8                   // number of the site that new sessions get
	number  int
	sizes   sizes

	reactor   *reactor.Reactor
	listeners []*listener
	sessions  *slab
	stock     *relay.Stock

	probe probe // nil except in tests

	scanner *sniff.Scanner
	sniffed sniff.Facts
	facts   acl.Facts // what rules and formats read
	peer    sock.Addr // address of the client accepted last

	sink      *access.Sink
	formatter access.Formatter
	line      []byte // buffer for log lines and their pieces

	draining  bool // no new clients; the loop stops after its last session
	accepting int  // listeners that are open
	holding   int  // clients in the listeners' held

	current visit   // the work on a session that is under way
	modes   [2]mode // by conf.Mode
}

// loopOptions contains everything that newLoop needs.
type loopOptions struct {
	process *process
	site    *site.Site
	sink    *access.Sink
	sizes   sizes
	pipes   int     // number of pipes that the loop may open for splice
	open    int     // number of them that it opens at the start
	http    newMode // mode http
	probe   probe   // nil except in tests
}

// newMode makes a mode that works on the sessions of a visit. sessions is their maximum number.
type newMode func(v *visit, sessions int) (mode, error)

// newLoop opens what the loop needs and reserves memory for its sessions. number is its index among
// the loops of the process.
func newLoop(o loopOptions, number int) (*loop, error) {
	sessions := o.process.plan.MaxConn
	l := &loop{
		process: o.process,
		sites:   [generations]*site.Site{o.site},
		number:  number,
		sizes:   o.sizes,
		scanner: sniff.NewScanner(),
		probe:   o.probe,
		sink:    o.sink,
		line:    make([]byte, 0, 1024),
		stock:   relay.NewStock(o.sizes.Sizes, o.process.memory, o.pipes, o.open),
	}
	l.facts.Sniff = &l.sniffed
	l.current.loop = l
	var err error
	if l.sessions, err = newSlab(sessions); err != nil {
		return nil, fmt.Errorf("memory for %d sessions: %w", sessions, err)
	}
	if l.modes[conf.TCP], err = newModeTCP(&l.current, sessions); err != nil {
		return nil, err
	}
	if l.modes[conf.HTTP], err = o.http(&l.current, sessions); err != nil {
		return nil, err
	}
	l.reactor, err = reactor.Open(reactor.Options{Events: o.sizes.Events, Tick: o.sizes.Tick, Timers: sessions + 1}, l)
	return l, err
}

// run works until the loop is stopped, or drained and without sessions.
func (l *loop) run() error {
	l.resumeAll()
	return l.finished(l.reactor.Wait(runtime.GOMAXPROCS(0) > l.process.plan.Loops))
}

// finished is called when the loop has ended with this error. It returns nil if the loop was to
// end.
func (l *loop) finished(err error) error {
	l.handOn()
	if errors.Is(err, errorx.ErrEngineShutdown) {
		return nil
	}
	return err
}

// handOn is called when the loop ends. Other loops may go on to drain, and a wake-up for a free
// place must not get lost in this one.
func (l *loop) handOn() {
	for _, ln := range l.listeners {
		for _, limit := range ln.limits {
			limit.Forget(l.number)
			if limit.TryAcquire() {
				l.release(limit)
			}
		}
	}
}

// now returns the time of the current events, in ms of stat.Now.
func (l *loop) now() int64 { return l.reactor.Now() }

// OnListener is called when clients wait at a listener. One that has closed its socket since the
// event has no clients.
func (l *loop) OnListener(index int) {
	if ln := l.listeners[index]; ln.fd >= 0 {
		l.accept(ln)
	}
}

// OnSocket passes an event to the session that the token names. It ignores the event if the session
// has closed that socket since. events 0 means that it is the socket's turn after yield.
func (l *loop) OnSocket(t reactor.Token, events uint32) {
	from := side(t.Side)
	s := l.sessions.at(t.Session)
	if s.sock[from].fd < 0 || s.token(t.Session, from) != t {
		return
	}
	l.visit(t.Session).wake(from, events)
}

// yield puts a session's socket into the list of sockets to serve again after the current
// events. The other sessions have a turn first.
func (v *visit) yield(which side) {
	one := &v.s.sock[which]
	if !one.has(waiting) {
		one.set(waiting)
		v.reactor.Yield(v.s.token(v.id, which))
	}
}

// note records what an event shows about a socket. It reports whether the socket has failed.
func (v *visit) note(from side, events uint32) bool {
	in, out := &v.s.flow[from], &v.s.flow[from.other()]
	if events&unix.EPOLLOUT != 0 {
		out.Set(relay.TargetReady)
	}
	if events&unix.EPOLLPRI != 0 {
		in.Urgent()
	}
	const ending = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	if events&(unix.EPOLLIN|ending) != 0 {
		in.Set(relay.SourceReady)
	}
	switch {
	case events&ending == 0:
		return false
	case events&unix.EPOLLERR == 0:
		in.Set(relay.SourceClosing)
		return false
	}
	// The next read or write returns the error.
	in.Set(relay.SourceDoubtful)
	out.Set(relay.TargetReady)
	return true
}

// watch registers a session's socket with the reactor. It returns false if the kernel has no
// memory for that.
func (v *visit) watch(which side) bool {
	one := &v.s.sock[which]
	if one.has(watched) {
		return true
	}
	if v.s.full(which) {
		one.set(writableWanted)
	}
	if v.reactor.Watch(int(one.fd), v.s.token(v.id, which), one.interest()) != nil {
		return false
	}
	one.set(watched)
	return true
}

// settle is called after all work on a session. The deadline of a connection may have become
// earlier, for example because the other side has to send next. A socket that is full is
// registered for writing. If the kernel lacked memory, a timer is armed: no event follows when it
// has memory again. A socket that was full once stays registered for writing.
func (v *visit) settle() {
	if v.s.state == relaying || v.s.state == exchanging {
		if at := v.deadline(); at != never {
			v.reactor.Arm(v.id, at)
		}
	}
	if v.s.state != free && v.s.starved() {
		v.reactor.Arm(v.id, v.now()+shortage.Milliseconds())
	}
	for which := range side(2) {
		one := &v.s.sock[which]
		if one.flags&(watched|writableWanted) == watched && v.s.full(which) {
			one.set(writableWanted)
			v.reactor.Rewatch(int(one.fd), v.s.token(v.id, which), one.interest())
		}
	}
}

// Ended is called after each piece of work. Its error stops a draining loop that has no session,
// no listener and no held client any more.
func (l *loop) Ended() error {
	if l.probe != nil {
		l.probe.settled(l)
	}
	if l.draining && l.sessions.open == 0 && l.accepting == 0 && l.holding == 0 {
		return errorx.ErrEngineShutdown
	}
	return nil
}

// close frees the loop's memory and descriptors. Its goroutine must have ended.
func (l *loop) close() {
	l.stock.Close()
	l.sessions.close()
	for _, m := range l.modes {
		m.close()
	}
	l.reactor.Close()
}
