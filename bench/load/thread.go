package load

import (
	"fmt"
	"time"
	"unsafe"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

// tolerated is how many failures a thread bears before it begins no more: a
// proxy that refuses everybody would be asked as fast as it can refuse.
const tolerated = 100

// thread is one epoll and its clients. Owned by the goroutine that runs it.
type thread struct {
	plan    *Plan
	addr    unix.SockaddrInet4
	epoll   int
	events  []unix.EpollEvent
	clients []client
	idle    []int32 // clients with nothing to do, first in first out
	buffer  []byte
	turn    int // of plan.Exchanges
	busy    int // clients in an exchange
	counts  bool

	start   time.Time
	next    time.Duration // open loop: when the next exchange should begin
	step    time.Duration // open loop: between two of them
	latency *hdrhistogram.Histogram
	done    int64
	failed  int64
	cause   error
}

// newThread returns the i-th of n threads with its part of clients and rate.
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

func (t *thread) shut() {
	for at := range t.clients {
		t.clients[at].drop()
	}
	unix.Close(t.epoll)
}

// warm connects clients that keep their connection, with one exchange each
// that does not count.
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

// run begins exchanges for the planned time and waits for their answers.
func (t *thread) run(start time.Time) {
	t.start, t.counts = start, true
	for t.failed < tolerated {
		now := t.now()
		if now >= t.plan.For {
			break
		}
		t.wait(t.beginDue(now))
	}
	t.finish(t.now())
}

// beginDue begins what is due and returns when to look again at the latest.
func (t *thread) beginDue(now time.Duration) time.Duration {
	if t.plan.Rate == 0 {
		for len(t.idle) > 0 && t.failed < tolerated {
			t.begin(now)
		}
		return t.plan.For
	}
	// What is due while all clients are busy stays due: its latency counts on.
	for t.next <= now && t.next < t.plan.For && len(t.idle) > 0 && t.failed < tolerated {
		t.begin(t.next)
		t.next += t.step
	}
	if len(t.idle) == 0 {
		return t.plan.For
	}
	return min(t.next, t.plan.For)
}

// finish waits until nobody is in an exchange any more. What was due and found
// no client until now is still begun, in an open loop.
func (t *thread) finish(now time.Duration) {
	late := now + grace
	for now < late && t.failed < tolerated {
		if t.counts && t.plan.Rate > 0 {
			t.beginDue(t.plan.For)
		}
		if t.busy == 0 {
			return
		}
		t.wait(late)
		now = t.now()
	}
	if t.busy > 0 {
		t.fail(fmt.Errorf("%d clients got no whole answer within %v", t.busy, grace))
		t.failed += int64(t.busy - 1)
	}
}

func (t *thread) now() time.Duration { return time.Since(t.start) }

// wait handles events, the first of which it awaits until the given time.
func (t *thread) wait(until time.Duration) {
	limit := unix.NsecToTimespec(int64(max(0, until-t.now())))
	// epoll_wait knows milliseconds only, too coarse for a schedule.
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(t.epoll),
		uintptr(unsafe.Pointer(&t.events[0])), uintptr(len(t.events)), uintptr(unsafe.Pointer(&limit)), 0, 0)
	if errno != 0 {
		if errno != unix.EINTR {
			t.fail(fmt.Errorf("epoll_pwait2: %w", errno))
		}
		return
	}
	for _, e := range t.events[:n] {
		t.advance(e.Fd)
	}
}

// begin gives an idle client the next exchange, which should have begun at due.
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

// exchange is the next in turn. Who keeps its connection has always the same: a
// proxy in mode tcp routes by the first request.
func (t *thread) exchange(at int32) *Exchange {
	if t.plan.Keep {
		return &t.plan.Exchanges[int(at)%len(t.plan.Exchanges)]
	}
	t.turn = (t.turn + 1) % len(t.plan.Exchanges)
	return &t.plan.Exchanges[t.turn]
}

// advance carries a client's exchange on as far as it goes now.
func (t *thread) advance(at int32) {
	c := &t.clients[at]
	if c.exchange == nil {
		// Only the server's end can have come, which the next exchange meets.
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
			_ = t.latency.RecordValue(int64(max(time.Microsecond, t.now()-c.due)))
		}
	}
	if finished || err != nil {
		t.end(at, err)
	}
}

// end makes the client idle. One that has no use for its connection closes it.
func (t *thread) end(at int32, err error) {
	c := &t.clients[at]
	if err != nil {
		t.fail(err)
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

func (t *thread) fail(err error) {
	t.failed++
	if t.cause == nil {
		t.cause = err
	}
}
