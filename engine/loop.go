package engine

import (
	"fmt"

	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"github.com/panjf2000/gnet/v2/pkg/queue"
	"golang.org/x/sys/unix"

	"sluice/engine/access"
	"sluice/engine/acl"
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

	poller    *netpoll.Poller
	watching  netpoll.PollAttachment // reused: the poller keeps none
	owner     []int32                // by descriptor: whose events it has, see owners
	listeners []*listener
	sessions  *slab
	stock     *relay.Stock
	clock     clock

	scanner *sniff.Scanner
	sniffed sniff.Facts
	facts   acl.Facts
	peer    sock.Addr // of the connection accepted last

	sink      *access.Sink
	formatter access.Formatter
	record    access.Record
	line      []byte

	draining  bool
	accepting int // listeners that are open
}

// Whose events a descriptor has, as kept in owner: 0 is nobody's, a session's
// sockets are its number twice plus the side, the rest is negative.
const (
	ownerClock    = -1
	ownerListener = -2 // and below: listener 0, 1 ...
)

func newLoop(e *Engine, number int, fds int) (*loop, error) {
	poller, err := netpoll.OpenPoller()
	if err != nil {
		return nil, err
	}
	l := &loop{
		engine:  e,
		site:    e.site,
		number:  number,
		now:     stat.Now(),
		poller:  poller,
		owner:   make([]int32, fds),
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
	if l.clock, err = newClock(wheel.New(e.plan.MaxConn+1, l.now)); err != nil {
		return nil, err
	}
	return l, l.own(l.clock.fd, ownerClock, true)
}

// own registers a descriptor that is not a session's for reading.
func (l *loop) own(fd int, who int32, edge bool) error {
	l.owner[fd] = who
	l.watching.FD = fd
	return l.poller.AddRead(&l.watching, edge)
}

// run works until the loop is told to stop.
func (l *loop) run() error {
	if err := l.resumeAll(); err != nil {
		return err
	}
	err := l.poller.Polling(l.event)
	if err == errorx.ErrEngineShutdown {
		return nil
	}
	return err
}

// event is the poller's callback.
func (l *loop) event(fd int, events netpoll.IOEvent, _ netpoll.IOFlags) error {
	l.now = stat.Now()
	switch who := l.owner[fd]; {
	case who > 0:
		l.wake(who>>1, side(who&1), events)
	case who == ownerClock:
		l.clock.ring(l.now, l.expire)
	case who <= ownerListener:
		l.accept(l.listeners[ownerListener-who])
	}
	return l.ended()
}

// wake hands an event to the session it is for.
func (l *loop) wake(id int32, from side, events netpoll.IOEvent) {
	s := l.sessions.at(id)
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
	case leaving:
		l.leave(id, s)
	}
}

// note keeps what an event says of a socket. It reports whether the socket has
// certainly failed.
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
	sure := !s.sock[from].has(doubtful)
	s.sock[from].flags &^= doubtful
	switch {
	case events&ending == 0:
		return false
	case sure && events&unix.EPOLLERR == 0:
		in.Set(relay.SourceClosing)
		return false
	}
	// An error is told by the read that meets it, and so is the end when the
	// event may be another socket's.
	in.Set(relay.SourceDoubtful)
	if sure {
		out.Set(relay.TargetReady) // a blocked write meets it too
	}
	return sure
}

// watch registers a session's socket. It reports false when the kernel has no
// memory for that.
func (l *loop) watch(id int32, s *session, which side) bool {
	one := &s.sock[which]
	if one.has(watched) {
		return true
	}
	l.watching.FD = int(one.fd)
	if l.poller.AddReadWrite(&l.watching, true) != nil {
		return false
	}
	one.set(watched | doubtful)
	return true
}

// again makes the poller report a session's socket once more next turn.
func (l *loop) again(s *session, which side) {
	l.watching.FD = int(s.sock[which].fd)
	_ = l.poller.ModReadWrite(&l.watching, true)
}

// adopt makes fd one of the session's sockets.
func (l *loop) adopt(id int32, s *session, which side, fd int) {
	s.sock[which] = socket{fd: int32(fd), seen: l.now}
	l.owner[fd] = id<<1 | int32(which)
}

// disown forgets one of the session's sockets, which the caller closes.
func (l *loop) disown(s *session, which side) int {
	fd := int(s.sock[which].fd)
	if fd >= 0 {
		l.owner[fd] = 0
		s.sock[which].fd = -1
	}
	return fd
}

// tell runs do on the loop, from any goroutine.
func (l *loop) tell(do func() error) {
	_ = l.poller.Trigger(queue.HighPriority, func(any) error {
		l.now = stat.Now()
		return do()
	}, nil)
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
	l.clock.close()
	_ = l.poller.Close()
}
