package engine

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sluice/engine/access"
	"sluice/engine/acl"
	"sluice/engine/httpflow"
	"sluice/engine/relay"
	"sluice/engine/sock"
	"sluice/engine/stat"
	"sluice/engine/wheel"
	"sluice/sniff"
)

// share is how many bytes one direction of a session may move before the
// others have their turn.
const share = 1 << 20

// loop runs the sessions that its listeners accept. Everything in it is used
// on its own goroutine only.
type loop struct {
	engine *Engine
	site   *site
	number int
	now    int64 // the time of the events that are handled, ms
	wall   int64 // the same by the wall clock, ms since 1970

	poller    poller
	listeners []*listener
	sessions  *slab
	exchanges reserve[exchange] // of mode http, by session
	stock     *relay.Stock
	clock     clock

	turns, spareTurns []token // see yield
	probe             probe   // nil but in tests

	scanner *sniff.Scanner
	sniffed sniff.Facts
	facts   acl.Facts
	peer    sock.Addr // of the connection accepted last

	rewrite  httpflow.Rewrite // of the head under way
	reply    httpflow.Head    // of the answer that is looked at
	head     []byte           // a head as it goes out, with the body bytes that came with it
	values   []byte           // what rules write into it
	edited   []byte           // a request's head as rules have made it so far,
	shown    []byte           // and as those after them see it
	ours     httpflow.Answer
	response acl.Response

	sink       *access.Sink
	formatter  access.Formatter
	record     access.HTTPRecord // of mode tcp: no request in it
	request    access.HTTPRecord
	piecesLeft []byte                // of the heads, for the line
	slots      [][]byte              // the captured headers in it
	own        reserve[[2]sock.Addr] // in mode tcp: our addresses of sessions that end, by side
	line       []byte

	draining  bool
	accepting int // listeners that are open
}

func newLoop(e *Engine, number int) (*loop, error) {
	p, err := openPoller()
	if err != nil {
		return nil, err
	}
	l := &loop{
		engine:  e,
		site:    e.site,
		number:  number,
		poller:  p,
		scanner: sniff.NewScanner(),
		probe:   e.probe,
		sink:    e.access.NewSink(),
		line:    make([]byte, 0, 1024),
	}
	l.facts.Sniff = &l.sniffed
	l.tick()
	pipes := e.plan.Pipes / e.plan.Loops
	l.stock = relay.NewStock(e.memory, pipes, min(pipes, openPipes))
	if l.sessions, err = newSlab(e.plan.MaxConn); err != nil {
		return nil, fmt.Errorf("memory for %d sessions: %w", e.plan.MaxConn, err)
	}
	if e.site.http {
		if l.exchanges, err = newReserve[exchange](e.plan.MaxConn + 1); err != nil {
			return nil, fmt.Errorf("memory for %d exchanges: %w", e.plan.MaxConn, err)
		}
	}
	if e.site.addresses {
		if l.own, err = newReserve[[2]sock.Addr](e.plan.MaxConn + 1); err != nil {
			return nil, fmt.Errorf("memory for %d sessions' addresses: %w", e.plan.MaxConn, err)
		}
	}
	if l.clock, err = newClock(wheel.New(e.plan.MaxConn+1, l.now)); err != nil {
		return nil, err
	}
	return l, l.poller.rings(l.clock.fd)
}

// run works until the loop is told to stop.
func (l *loop) run() error {
	l.resumeAll()
	l.poller.spare = runtime.GOMAXPROCS(0) > l.engine.plan.Loops
	err := l.poller.wait(l)
	if errors.Is(err, errorx.ErrEngineShutdown) {
		return nil
	}
	return err
}

// tick looks at the clock.
func (l *loop) tick() {
	now := time.Now()
	l.now, l.wall = stat.At(now), now.UnixMilli()
}

// event hands an event to whom it is for.
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

// yield has a session's socket worked on once more after the events at hand,
// so that the others have their turn.
func (l *loop) yield(id int32, s *session, which side) {
	one := &s.sock[which]
	if !one.has(waiting) {
		one.set(waiting)
		l.turns = append(l.turns, tokenOf(id, which, one.turn))
	}
}

// takeTurns works on those who asked for it with yield.
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

// onListener hands an event to the listener it is for.
func (l *loop) onListener(fd int) {
	for _, ln := range l.listeners {
		if ln.fd == fd {
			l.accept(ln)
			return
		}
	}
}

// wake hands an event to the session it is for, if that is still the one which
// registered the socket.
func (l *loop) wake(t token, events uint32) {
	id, from := t.session(), t.side()
	s := l.sessions.at(id)
	if s.sock[from].turn != t.turn() || s.sock[from].fd < 0 {
		return
	}
	l.meet(id, from, events)
	if events == 0 { // its turn
		s.sock[from].flags &^= waiting
	}
	failed := l.note(s, from, events)
	if events != 0 && !failed && s.moves() {
		l.yield(id, s, client)
		return
	}
	switch s.state {
	case inspecting:
		l.inspect(id, s)
	case dialing, pausing:
		l.tendDial(id, s, from, failed)
	case relaying:
		if failed && s.flow[from].Has(relay.SourceEnded) {
			l.failedLate(id, s, from)
			break
		}
		l.relay(id, s)
		if failed && from == client {
			l.cutBlocked(id, s)
		}
	case asking:
		l.askOn(id, s, from, failed)
	case exchanging:
		l.exchangeEvent(id, s, from, failed)
	case leaving:
		l.leaveOn(id, s, failed)
	}
	l.awaitWritable(id, s)
}

// note keeps what an event says of a socket. It reports whether the socket has
// failed.
func (l *loop) note(s *session, from side, events uint32) bool {
	in, out := &s.flow[from], &s.flow[from.other()]
	if events&unix.EPOLLOUT != 0 {
		out.Set(relay.TargetReady)
	}
	if events&unix.EPOLLPRI != 0 {
		in.Set(relay.SourceExact)
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
	// The error is told by the read or the write that meets it.
	in.Set(relay.SourceDoubtful)
	out.Set(relay.TargetReady)
	return true
}

// watch registers a session's socket. It reports false when the kernel has no
// memory for that.
func (l *loop) watch(id int32, s *session, which side) bool {
	one := &s.sock[which]
	if one.has(watched) {
		return true
	}
	if s.full(which) {
		one.set(writableWanted)
	}
	if l.poller.watch(int(one.fd), tokenOf(id, which, one.turn), one.interest()) != nil {
		return false
	}
	one.set(watched)
	return true
}

// awaitWritable has the poller tell when a socket that was full takes bytes again.
// It is called after all work on a session. A socket that was full once stays
// registered for it. No event tells when the kernel has memory again: a timer
// does.
func (l *loop) awaitWritable(id int32, s *session) {
	if s.state != free && s.starved() {
		l.clock.arm(id, l.now+shortage.Milliseconds(), l.now)
	}
	for which := range side(2) {
		one := &s.sock[which]
		if one.flags&(watched|writableWanted) == watched && s.full(which) {
			one.set(writableWanted)
			l.poller.rewatch(int(one.fd), tokenOf(id, which, one.turn), one.interest())
		}
	}
}

// tell runs do on the loop, from any goroutine.
func (l *loop) tell(do func() error) {
	l.poller.tell(do)
}

// ended is called after each piece of work. It stops a draining loop whose last
// session is gone.
func (l *loop) ended() error {
	if l.probe != nil {
		l.probe.settled(l)
	}
	if l.draining && l.sessions.open == 0 && l.accepting == 0 {
		return errorx.ErrEngineShutdown
	}
	return nil
}

// close frees what the loop holds. Its goroutine has ended.
func (l *loop) close() {
	l.stock.Close()
	l.sessions.close()
	l.exchanges.close()
	l.own.close()
	l.clock.close()
	l.poller.close()
}
