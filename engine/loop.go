package engine

import (
	"errors"
	"fmt"

	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	"github.com/panjf2000/gnet/v2/pkg/netpoll"
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
	now    int64 // of the event that is handled, ms

	poller    poller
	listeners []*listener
	sessions  *slab
	exchanges reserve[exchange] // of mode http, by session
	stock     *relay.Stock
	clock     clock

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

	sink      *access.Sink
	formatter access.Formatter
	record    access.HTTPRecord // of mode tcp: no request in it
	request   access.HTTPRecord
	kept      []byte                // of the heads, for the line
	slots     [][]byte              // the captured headers in it
	own       reserve[[2]sock.Addr] // in mode tcp: our addresses of sessions that end, by side
	line      []byte

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
		now:     stat.Now(),
		poller:  p,
		scanner: sniff.NewScanner(),
		sink:    e.access.NewSink(),
		line:    make([]byte, 0, 1024),
	}
	l.facts.Sniff = &l.sniffed
	pipes := e.plan.Pipes / e.plan.Loops
	l.stock = relay.NewStock(e.budget, pipes, min(pipes, openPipes))
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
	err := l.poller.wait(l.event)
	if errors.Is(err, errorx.ErrEngineShutdown) {
		return nil
	}
	return err
}

// event is the poller's callback. who is a session's token, or the descriptor
// of what is not a session's.
func (l *loop) event(who int, events netpoll.IOEvent, _ netpoll.IOFlags) error {
	l.now = stat.Now()
	switch {
	case who < 0:
		l.wake(token(who), events)
	case who == l.clock.fd:
		l.clock.ring(l.now, l.expire)
	default:
		l.knock(who)
	}
	return l.ended()
}

// knock hands an event to the listener it is for.
func (l *loop) knock(fd int) {
	for _, ln := range l.listeners {
		if ln.fd == fd {
			l.accept(ln)
			return
		}
	}
}

// wake hands an event to the session it is for, if that is still the one which
// registered the socket.
func (l *loop) wake(t token, events netpoll.IOEvent) {
	id, from := t.session(), t.side()
	s := l.sessions.at(id)
	if s.sock[from].turn != t.turn() || s.sock[from].fd < 0 {
		return
	}
	failed := l.note(s, from, events)
	switch s.state {
	case inspecting:
		l.inspect(id, s)
	case dialing, pausing:
		l.tendDial(id, s, from, failed)
	case relaying:
		if failed && s.flow[from].Has(relay.SourceEnded) {
			l.failedLate(id, s, from)
			return
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
		l.leave(id, s, failed)
	}
}

// note keeps what an event says of a socket. It reports whether the socket has
// failed.
func (l *loop) note(s *session, from side, events netpoll.IOEvent) bool {
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
	if l.poller.watch(int(one.fd), tokenOf(id, which, one.turn)) != nil {
		return false
	}
	one.set(watched)
	return true
}

// again has the poller report a session's socket once more next turn.
func (l *loop) again(id int32, s *session, which side) {
	one := &s.sock[which]
	_ = l.poller.again(int(one.fd), tokenOf(id, which, one.turn))
}

// tell runs do on the loop, from any goroutine.
func (l *loop) tell(do func() error) {
	l.poller.tell(func() error {
		l.now = stat.Now()
		return do()
	})
}

// ended stops a draining loop whose last session is gone.
func (l *loop) ended() error {
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
