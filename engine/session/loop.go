package session

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

// Loop runs the sessions that its listeners accept. While the loop runs, its fields are used only on
// its own goroutine, with one exception: other goroutines read Reactor to call Reactor.Tell. NewLoop
// sets Reactor, and it is not changed afterwards.
type Loop struct {
	process *Process
	Number  int // index in Process.Loops
	Sizes   Sizes

	generations

	Reactor   *reactor.Reactor
	Listeners []*Listener // the open ones, and closed ones with sessions or held clients
	lines     []*Listener // by Session.line; nil: an unused index
	unused    []int32     // indexes in lines that are not in use
	Sessions  *slab
	Stock     *relay.Stock // buffers and pipes

	closed func() // LoopOptions.Closed

	probe Probe // nil except in tests

	Scanner *sniff.Scanner
	Sniffed sniff.Facts // facts that the scanner found in the current bytes
	Facts   acl.Facts   // input of rules and formats for the current session
	peer    sock.Addr   // address of the client accepted last

	sink      *access.Sink
	formatter access.Formatter
	Line      []byte // buffer for log lines and their parts

	Draining  bool // no new clients are accepted; the loop stops after its last session
	accepting int  // number of open listeners
	holding   int  // number of clients in Listener.Held of all listeners

	Current Visit   // the work on a session that is under way
	modes   [2]Mode // by conf.Mode; each works on Current
}

// LoopOptions contains everything that NewLoop needs. All fields except Probe are required.
type LoopOptions struct {
	Process *Process
	Site    *site.Site         // the first site, under the number 0
	Left    func(number uint8) // called on the loop's goroutine when it no longer uses the site with this number
	Closed  func()             // called on the loop's goroutine when it has closed the socket of a removed listener
	Sink    *access.Sink
	Sizes   Sizes
	Pipes   int     // maximum number of pipes that the loop opens for splice; 0: no splice
	Open    int     // number of pipes that NewLoop opens
	HTTP    NewMode // makes mode http
	Probe   Probe   // nil except in tests
}

// NewMode makes a mode that works on the session of v. sessions is the maximum number of sessions
// of the loop.
type NewMode func(v *Visit, sessions int) (Mode, error)

// NewLoop opens the reactor of the loop and reserves memory for its sessions. It reserves memory
// for both modes, because a later configuration may need either of them. number is the loop's index
// in Process.Loops. NewLoop fails if the kernel lacks address space or descriptors.
func NewLoop(o LoopOptions, number int) (*Loop, error) {
	sessions := o.Process.Plan().Capacity
	l := &Loop{
		process: o.Process,
		Number:  number,
		Sizes:   o.Sizes,

		generations: generations{sites: [Generations]*site.Site{o.Site}, left: o.Left},

		Scanner: sniff.NewScanner(),
		closed:  o.Closed,
		probe:   o.Probe,
		sink:    o.Sink,
		Line:    make([]byte, 0, 1024),
		Stock:   relay.NewStock(o.Sizes.Sizes, o.Process.Memory, o.Pipes, o.Open),
	}
	l.Facts.Sniff = &l.Sniffed
	l.Current.Loop = l
	var err error
	if l.Sessions, err = newSlab(sessions); err != nil {
		return nil, fmt.Errorf("memory for %d sessions: %w", sessions, err)
	}
	if l.modes[conf.TCP], err = newModeTCP(&l.Current, sessions); err != nil {
		return nil, err
	}
	if l.modes[conf.HTTP], err = o.HTTP(&l.Current, sessions); err != nil {
		return nil, err
	}
	l.Reactor, err = reactor.Open(reactor.Options{Events: o.Sizes.Events, Tick: o.Sizes.Tick, Timers: sessions + 1}, l)
	return l, err
}

// Run works until Stop was called, or until the loop drains and has no session left. It then
// returns nil. It returns an error if waiting for events has failed.
func (l *Loop) Run() error {
	return l.finished(l.Reactor.Wait(runtime.GOMAXPROCS(0) > l.process.Plan().Loops))
}

// finished is called when the loop has ended with this error. It returns nil if a stop or drain has
// ended the loop.
func (l *Loop) finished(err error) error {
	for _, ln := range l.Listeners {
		l.handOn(ln) // other loops may still be draining
	}
	if errors.Is(err, errorx.ErrEngineShutdown) {
		return nil
	}
	return err
}

// Now returns the time of the current events, in ms of stat.Now.
func (l *Loop) Now() int64 { return l.Reactor.Now() }

// OnListener accepts clients that wait at the listener with this index. It does nothing if the
// listener was closed after the event.
func (l *Loop) OnListener(index int) {
	if ln := l.lines[index]; ln != nil && ln.FD >= 0 {
		l.accept(ln)
	}
}

// OnSocket passes an event to the session that the token names. It ignores the event if the session
// has closed that socket since. events 0 means that it is the socket's turn after Visit.Yield.
func (l *Loop) OnSocket(t reactor.Token, events uint32) {
	from := Side(t.Side)
	s := l.Sessions.At(t.Session)
	if s.Sock[from].FD < 0 || s.Token(t.Session, from) != t {
		return
	}
	l.Visit(t.Session).wake(from, events)
}

// Yield puts a session's socket into the list of sockets to serve again after the current
// events. The other sessions have a turn first.
func (v *Visit) Yield(which Side) {
	one := &v.S.Sock[which]
	if !one.Has(waiting) {
		one.Set(waiting)
		v.Reactor.Yield(v.S.Token(v.ID, which))
	}
}

// note records the facts about a socket that an event reports. It reports whether the socket has
// failed.
func (v *Visit) note(from Side, events uint32) bool {
	in, out := &v.S.Flow[from], &v.S.Flow[from.Other()]
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

// Watch registers a session's socket with the reactor. It returns false if the kernel has no
// memory for that.
func (v *Visit) Watch(which Side) bool {
	one := &v.S.Sock[which]
	if one.Has(Watched) {
		return true
	}
	if v.S.full(which) {
		one.Set(WritableWanted)
	}
	if v.Reactor.Watch(int(one.FD), v.S.Token(v.ID, which), one.Interest()) != nil {
		return false
	}
	one.Set(Watched)
	return true
}

// Settle is called after all work on a session. It arms the timer, because the deadline of a
// relaying session may have become earlier: the other side may have to send next. It registers a
// full socket for writing; that socket stays registered so. If the kernel lacked memory, it arms a
// timer, because no event reports that memory is available again.
func (v *Visit) Settle() {
	if v.S.State == Relaying || v.S.State == Exchanging {
		v.ArmDeadline()
	}
	if v.S.State != Free && v.S.starved() {
		v.Reactor.Arm(v.ID, v.Now()+shortage.Milliseconds())
	}
	for which := range Side(2) {
		one := &v.S.Sock[which]
		if one.flags&(Watched|WritableWanted) == Watched && v.S.full(which) {
			one.Set(WritableWanted)
			v.Reactor.Rewatch(int(one.FD), v.S.Token(v.ID, which), one.Interest())
		}
	}
}

// Ended is called after each event, after the timers and after the turns of a batch. It returns an
// error, which stops the loop, if a draining loop has no session, no listener and no held client
// any more.
func (l *Loop) Ended() error {
	if l.probe != nil {
		l.probe.Settled(l)
	}
	if l.Draining && l.Sessions.Open == 0 && l.accepting == 0 && l.holding == 0 {
		return errorx.ErrEngineShutdown
	}
	return nil
}

// Close frees the loop's memory and descriptors. Its goroutine must have ended.
func (l *Loop) Close() {
	l.Stock.Close()
	l.Sessions.Close()
	for _, m := range l.modes {
		m.Close()
	}
	l.Reactor.Close()
}
