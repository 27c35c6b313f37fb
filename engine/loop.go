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
	"sluice/engine/relay"
	"sluice/engine/site"
	"sluice/engine/sock"
	"sluice/engine/wheel"
	"sluice/pool/stat"
	"sluice/sniff"
)

// loop runs the sessions that its listeners accept. Its fields are used only on its own
// goroutine.
type loop struct {
	process *process
	site    *site.Site
	number  int
	sizes   sizes
	now     int64 // time of the current events, ms of stat.Now
	wall    int64 // the same time, ms since 1970

	poller    poller
	listeners []*listener
	sessions  *slab
	stock     *relay.Stock
	clock     clock

	// turns are sockets to serve again after this batch, see yield. spareTurns is the other
	// half of a double buffer.
	turns, spareTurns []token
	probe             probe // nil except in tests

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

// newLoop opens what the loop needs and reserves memory for its sessions.
func newLoop(e *Engine, number int) (*loop, error) {
	p, err := openPoller(e.sizes)
	if err != nil {
		return nil, err
	}
	l := &loop{
		process: &e.process,
		site:    e.site,
		number:  number,
		sizes:   e.sizes,
		poller:  p,
		scanner: sniff.NewScanner(),
		probe:   e.probe,
		sink:    e.access.NewSink(),
		line:    make([]byte, 0, 1024),
	}
	l.facts.Sniff = &l.sniffed
	l.current.loop = l
	l.tick()
	pipes := e.plan.Pipes / e.plan.Loops
	l.stock = relay.NewStock(e.sizes.Sizes, e.memory, pipes, min(pipes, openPipes))
	if l.sessions, err = newSlab(e.plan.MaxConn); err != nil {
		return nil, fmt.Errorf("memory for %d sessions: %w", e.plan.MaxConn, err)
	}
	if err := l.addModes(e); err != nil {
		return nil, err
	}
	if l.clock, err = newClock(wheel.New(e.plan.MaxConn+1, l.now)); err != nil {
		return nil, err
	}
	return l, l.poller.rings(l.clock.fd)
}

// addModes makes the two modes. A mode that the configuration does not use reserves no memory.
func (l *loop) addModes(e *Engine) error {
	tcp, http := 0, 0
	if e.site.LocalAddresses {
		tcp = e.plan.MaxConn
	}
	if e.site.HTTP {
		http = e.plan.MaxConn
	}
	t, err := newModeTCP(&l.current, tcp)
	if err != nil {
		return err
	}
	h, err := newModeHTTP(&l.current, http)
	l.modes = [2]mode{conf.TCP: t, conf.HTTP: h}
	return err
}

// run works until the loop is stopped, or drained and without sessions.
func (l *loop) run() error {
	l.resumeAll()
	l.poller.spare = runtime.GOMAXPROCS(0) > l.process.plan.Loops
	return l.finished(l.poller.wait(l))
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

// tick reads the clock.
func (l *loop) tick() {
	now := stat.Clock()
	l.now, l.wall = stat.At(now), now.UnixMilli()
}

// event passes an event to its session, to the clock or to a listener.
func (l *loop) event(who int32, events uint32) error {
	switch {
	case who < 0:
		l.wake(token(who), events)
	case int(who) == l.clock.fd:
		l.clock.ring(l.now, l.expire)
	default:
		l.onListener(int(who))
	}
	return l.ended()
}

// yield puts a session's socket into the list of sockets to serve again after the current
// events. The other sessions have a turn first.
func (v *visit) yield(which side) {
	one := &v.s.sock[which]
	if !one.has(waiting) {
		one.set(waiting)
		v.turns = append(v.turns, tokenOf(v.id, which, one.turn))
	}
}

// takeTurns serves the sockets that called yield. It reports whether some of them called it
// again.
func (l *loop) takeTurns() (more bool, err error) {
	if len(l.turns) == 0 {
		return false, nil
	}
	l.tick()
	turns := l.turns
	l.turns, l.spareTurns = l.spareTurns[:0], turns
	for _, t := range turns {
		l.wake(t, 0)
	}
	return len(l.turns) > 0, l.ended()
}

// onListener passes an event to the listener with this descriptor.
func (l *loop) onListener(fd int) {
	for _, ln := range l.listeners {
		if ln.fd == fd {
			l.accept(ln)
			return
		}
	}
}

// wake passes an event to the session that the token names. It ignores the event if the session
// has closed that socket since. events 0 means that it is the socket's turn after yield.
func (l *loop) wake(t token, events uint32) {
	one := &l.sessions.at(t.session()).sock[t.side()]
	if one.turn != t.turn() || one.fd < 0 {
		return
	}
	l.visit(t.session()).wake(t.side(), events)
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

// watch registers a session's socket with the poller. It returns false if the kernel has no
// memory for that.
func (v *visit) watch(which side) bool {
	one := &v.s.sock[which]
	if one.has(watched) {
		return true
	}
	if v.s.full(which) {
		one.set(writableWanted)
	}
	if v.poller.watch(int(one.fd), tokenOf(v.id, which, one.turn), one.interest()) != nil {
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
			v.clock.arm(v.id, at, v.now)
		}
	}
	if v.s.state != free && v.s.starved() {
		v.clock.arm(v.id, v.now+shortage.Milliseconds(), v.now)
	}
	for which := range side(2) {
		one := &v.s.sock[which]
		if one.flags&(watched|writableWanted) == watched && v.s.full(which) {
			one.set(writableWanted)
			v.poller.rewatch(int(one.fd), tokenOf(v.id, which, one.turn), one.interest())
		}
	}
}

// tell runs do on the loop's goroutine. It may be called from any goroutine.
func (l *loop) tell(do func() error) {
	l.poller.tell(do)
}

// ended is called after each piece of work. Its error stops a draining loop that has no session,
// no listener and no held client any more.
func (l *loop) ended() error {
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
	l.clock.close()
	l.poller.close()
}
