package reactor

import (
	"io"
	"os"

	"github.com/panjf2000/gnet/v2/pkg/queue"
	"golang.org/x/sys/unix"

	"sluice/engine/sock"
	"sluice/pool/stat"
)

// Handler handles the events, timers and turns of a Reactor.
type Handler interface {
	// OnSocket is called for an event of a session's socket. events are EPOLL bits; 0 means that it
	// is the socket's turn after Yield. The socket may have been closed before the call. The
	// Handler then finds another serial number, or no socket, on that side of the session.
	OnSocket(t Token, events uint32)
	// OnListener is called when clients wait at the listening socket with this index. The socket
	// may have been closed before the call.
	OnListener(index int)
	// OnTimer is called when the timer with this number is due. The timer is disarmed before the
	// call.
	OnTimer(id int32)
	// Ended is called after each event, after the timers that were due and after the turns of a
	// batch. If it returns an error, Wait returns that error.
	Ended() error
}

// Options are the limits of a Reactor.
type Options struct {
	Events int // maximum number of events in one batch, from 1
	Tick   int // number of events between two reads of the clock, from 1
	Timers int // number of timers, from 1; they have the numbers 0 to Timers-1
}

// Reactor waits for events and passes them to its Handler. See the description of the package for
// the goroutines that may use it.
type Reactor struct {
	handler Handler
	epoll   int                  // descriptor of gnet's epoll instance
	gnet    io.Closer            // gnet's poller
	bell    int                  // eventfd that reports new tasks; edge-triggered, never read
	tasks   queue.AsyncTaskQueue // functions that other goroutines gave to Tell
	clock   clock
	events  []unix.EpollEvent // the current batch
	tick    int               // see Options.Tick
	now     int64             // see Now
	wall    int64             // see Wall

	// turns are the sockets to serve again after this batch, see Yield. spareTurns is the second
	// buffer, with which takeTurns swaps turns. If more is true, sockets are in the list after
	// takeTurns, so the next wait must not block.
	turns, spareTurns []Token
	more              bool

	spare bool // more processors than loops exist, see Wait
	naps  int  // number of short waits in a row, see drowsy
}

// Open opens a Reactor that calls the methods of h. The caller closes it with Close. Open fails if
// the kernel lacks descriptors or memory.
func Open(o Options, h Handler) (*Reactor, error) {
	r := &Reactor{
		handler: h, epoll: -1, bell: -1, clock: clock{fd: -1, fire: h.OnTimer},
		tasks: queue.NewLockFreeQueue(), events: make([]unix.EpollEvent, o.Events), tick: o.Tick,
	}
	r.readClock()
	if err := r.open(o.Timers); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Reactor) open(timers int) (err error) {
	if r.epoll, r.gnet, err = openEpoll(); err != nil {
		return err
	}
	var e sock.Errno
	if r.bell, e = sock.Bell(); e != 0 {
		return os.NewSyscallError("eventfd", e)
	}
	if err := r.clock.open(timers, r.now); err != nil {
		return err
	}
	if err := r.rings(r.bell, bell); err != nil {
		return err
	}
	return r.rings(r.clock.fd, timer)
}

// Close closes the descriptors of the Reactor and gives its memory back. The Reactor must not be
// used any more.
func (r *Reactor) Close() {
	r.clock.close()
	if r.bell >= 0 {
		sock.Close(r.bell)
	}
	if r.gnet != nil {
		_ = r.gnet.Close()
	}
}

// Now returns the time of the current events, in ms of stat.Now.
func (r *Reactor) Now() int64 { return r.now }

// Wall returns the time of the current events, in ms since 1970.
func (r *Reactor) Wall() int64 { return r.wall }

// readClock sets the time of the current events.
func (r *Reactor) readClock() {
	now := stat.Clock()
	r.now, r.wall = stat.At(now), now.UnixMilli()
}

// Wait handles events and runs tasks, until Ended of the Handler or a task returns an error. Wait
// returns that error, or the error of epoll_wait. spare means that more processors than loops
// exist, so a busy loop may keep its processor while it waits.
func (r *Reactor) Wait(spare bool) error {
	r.spare = spare
	for {
		n, e := r.next()
		if e != 0 {
			return os.NewSyscallError("epoll_wait", e)
		}
		if err := r.step(n); err != nil {
			return err
		}
	}
}

// step handles the first n events of the batch and then the turns.
func (r *Reactor) step(n int) (err error) {
	for i := range n {
		if i%r.tick == 0 {
			r.readClock()
		}
		if err := r.dispatch(&r.events[i]); err != nil {
			return err
		}
	}
	r.more, err = r.takeTurns()
	return err
}

// dispatch passes an event to its owner.
func (r *Reactor) dispatch(ev *unix.EpollEvent) error {
	switch o := ownerOf(ev); o.kind() {
	case bell:
		return r.runTasks()
	case timer:
		r.clock.ring(r.now)
	case listener:
		r.handler.OnListener(int(o.number()))
	case socket:
		r.handler.OnSocket(o.token(), ev.Events)
	}
	return r.handler.Ended()
}

// runTasks runs the functions that were given to Tell.
func (r *Reactor) runTasks() error {
	for task := r.tasks.Dequeue(); task != nil; task = r.tasks.Dequeue() {
		if err := task.Exec(task.Param); err != nil {
			return err
		}
	}
	return nil
}

// Tell makes the goroutine of Wait run do, between two events. Tell does not wait for this. If do
// returns an error, Wait returns that error. Tell may be called from any goroutine until Close.
func (r *Reactor) Tell(do func() error) {
	r.tasks.Enqueue(&queue.Task{Exec: func(any) error { return do() }})
	sock.Ring(r.bell)
}
