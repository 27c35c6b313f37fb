package load

import (
	"fmt"
	"os"
	"time"
	"unsafe"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

// tolerated is the number of failures after which a thread begins no more exchanges. Otherwise,
// a proxy that refuses all connections would get requests as fast as it can refuse them.
const tolerated = 100

// thread is one epoll with its clients. The goroutine that runs it owns it.
type thread struct {
	plan    *Plan
	addr    unix.SockaddrInet4
	epoll   int
	events  []unix.EpollEvent
	clients []client
	idle    []int32 // indexes of clients without an exchange, first in first out
	buffer  []byte
	turn    int  // index into plan.Exchanges
	busy    int  // number of clients with an exchange
	counts  bool // exchanges are counted: the warm-up is over

	start    time.Time               // the other times count from here
	next     time.Duration           // open loop: when the next exchange should begin
	step     time.Duration           // open loop: time between two exchanges
	latency  *hdrhistogram.Histogram // in nanoseconds
	done     int64                   // exchanges that succeeded
	samples  []Sample
	failures Failures
}

// newThread returns the i-th of n threads, with its share of the clients and of the rate.
func newThread(p *Plan, i, n int) (*thread, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	t := &thread{
		plan: p, epoll: epoll, latency: newHistogram(),
		addr:    unix.SockaddrInet4{Addr: p.Addr.Addr().As4(), Port: int(p.Addr.Port())},
		events:  make([]unix.EpollEvent, 256),
		buffer:  make([]byte, 64<<10),
		clients: make([]client, (p.Clients+n-1-i)/n),
		turn:    i * len(p.Exchanges) / n,
	}
	if p.Rate > 0 {
		t.step = time.Duration(float64(n) / p.Rate * float64(time.Second))
		t.next = t.step * time.Duration(i) / time.Duration(n)
	}
	for at := range t.clients {
		t.clients[at].fd = -1
		t.idle = append(t.idle, int32(at))
	}
	return t, nil
}

// shut closes all descriptors of the thread.
func (t *thread) shut() {
	for at := range t.clients {
		t.clients[at].drop()
	}
	unix.Close(t.epoll)
}

// warm connects the clients that keep their connection. Each makes one exchange that is not
// counted.
func (t *thread) warm() {
	t.start = time.Now()
	if !t.plan.Keep {
		return
	}
	for range t.clients {
		t.begin(t.now())
	}
	t.finish(t.now())
}

// run begins exchanges for the planned time, and then waits for their answers.
func (t *thread) run(start time.Time) {
	t.start, t.counts = start, true
	for t.goesOn() {
		now := t.now()
		if now >= t.plan.For || t.plan.stopped() {
			break
		}
		t.wait(t.beginDue(now))
	}
	t.finish(t.now())
}

// beginDue begins the exchanges that are due. It returns the latest time of the next call.
func (t *thread) beginDue(now time.Duration) time.Duration {
	if t.plan.Rate == 0 {
		for len(t.idle) > 0 && t.goesOn() {
			t.begin(now)
		}
		return t.plan.For
	}
	// An exchange that is due while all clients are busy waits. Its latency includes this wait.
	for t.next <= now && t.next < t.plan.For && len(t.idle) > 0 && t.goesOn() {
		t.begin(t.next)
		t.next += t.step
	}
	if len(t.idle) == 0 {
		return t.plan.For
	}
	return min(t.next, t.plan.For)
}

// finish waits until no client has an exchange. In an open loop it first begins the exchanges
// that were due before the end but found no idle client.
func (t *thread) finish(now time.Duration) {
	late := now + grace
	for now < late && t.goesOn() {
		if t.counts && t.plan.Rate > 0 && !t.plan.stopped() {
			t.beginDue(t.plan.For)
		}
		if t.busy == 0 {
			return
		}
		t.wait(late)
		now = t.now()
	}
	if t.busy > 0 {
		t.failures.Add(fmt.Errorf("%d clients got no whole answer within %v: %w", t.busy, grace, os.ErrDeadlineExceeded))
		t.failures.Lost += int64(t.busy - 1)
	}
}

// now returns the time since start.
func (t *thread) now() time.Duration { return time.Since(t.start) }

// wait waits for events until the given time, and handles those that have come.
func (t *thread) wait(until time.Duration) {
	limit := unix.NsecToTimespec(int64(max(0, until-t.now())))
	// epoll_wait counts in milliseconds, which is too coarse for the schedule.
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(t.epoll),
		uintptr(unsafe.Pointer(&t.events[0])), uintptr(len(t.events)), uintptr(unsafe.Pointer(&limit)), 0, 0)
	if errno != 0 {
		if errno != unix.EINTR {
			t.failures.Add(fmt.Errorf("epoll_pwait2: %w", errno))
		}
		return
	}
	for _, e := range t.events[:n] {
		t.advance(e.Fd)
	}
}

// begin starts the next exchange on an idle client. due is the time at which it should have
// begun.
func (t *thread) begin(due time.Duration) {
	at := t.idle[0]
	t.idle = t.idle[1:]
	t.busy++
	c := &t.clients[at]
	*c = client{fd: c.fd, watched: c.watched, due: due, exchange: t.exchange(at)}
	if c.fd < 0 {
		if err := c.connect(&t.addr); err != nil {
			t.end(at, err)
			return
		}
	}
	if err := c.send(); err != nil {
		t.end(at, err)
		return
	}
	if err := t.watch(at); err != nil {
		t.end(at, err)
	}
}

// exchange returns the client's next exchange. With Keep it is always the same one per client,
// because a proxy in mode tcp routes a connection by its first request.
func (t *thread) exchange(at int32) *Exchange {
	if t.plan.Keep {
		return &t.plan.Exchanges[int(at)%len(t.plan.Exchanges)]
	}
	t.turn = (t.turn + 1) % len(t.plan.Exchanges)
	return &t.plan.Exchanges[t.turn]
}

// advance continues a client's exchange as far as possible now.
func (t *thread) advance(at int32) {
	c := &t.clients[at]
	if c.exchange == nil {
		// The only possible event is the server's FIN; the next exchange will find it.
		return
	}
	if err := c.send(); err != nil {
		t.end(at, err)
		return
	}
	finished, err := c.receive(t.buffer, t.plan.Keep)
	if c.answered() && !c.timed {
		c.timed = true
		if t.counts {
			t.record(c.due, max(time.Microsecond, t.now()-c.due))
		}
	}
	if finished || err != nil {
		t.end(at, err)
	}
}

// end makes the client idle. After an error, or without Keep, it also closes the connection.
func (t *thread) end(at int32, err error) {
	c := &t.clients[at]
	if err != nil {
		t.failures.Add(err)
	} else if t.counts {
		t.done++
	}
	if err != nil || !t.plan.Keep {
		c.drop()
	}
	c.exchange = nil
	t.busy--
	t.idle = append(t.idle, at)
}

func (t *thread) record(due, took time.Duration) {
	_ = t.latency.RecordValue(int64(took))
	if t.plan.Sampled {
		t.samples = append(t.samples, Sample{due, took})
	}
}

// goesOn reports whether the thread begins further exchanges.
func (t *thread) goesOn() bool { return t.plan.Tolerate || t.failures.Sum() < tolerated }
