package load

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Exchange is one request and the whole answer to it.
type Exchange struct {
	Request []byte
	Answer  []byte
}

// Plan is the load to make.
type Plan struct {
	Addr      netip.AddrPort
	Exchanges []Exchange // taken in turn
	Clients   int        // connections at once, at most
	// Keep has a client use one connection for all its exchanges, which then are
	// one, again and again. Without, each exchange has a connection of its own,
	// which the server closes.
	Keep bool
	Rate float64       // exchanges begun per second; 0: a closed loop
	For  time.Duration // how long exchanges are begun
	// Started is called once before the first exchange that counts. With Keep
	// all clients are connected by then.
	Started func()
}

// Result is what became of a Plan.
type Result struct {
	Done    int64                   // exchanges answered as expected
	Elapsed time.Duration           // from the start until the last had ended
	Latency *hdrhistogram.Histogram // ns, until the whole answer is there
}

// grace is how long answers may take after the last exchange was begun.
const grace = 10 * time.Second

// threads are as many as leave the proxy's own threads a core each on a small
// machine, and as wrk takes.
const threads = 2

// newHistogram counts from 1 µs to a minute with three significant digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(int64(time.Microsecond), int64(time.Minute), 3)
}

func (p *Plan) check() error {
	switch {
	case len(p.Exchanges) == 0:
		return errors.New("a plan without exchanges")
	case p.Clients <= 0:
		return fmt.Errorf("%d clients, wanted at least one", p.Clients)
	case p.For <= 0:
		return fmt.Errorf("a load for %v, wanted a time above 0", p.For)
	case p.Rate < 0:
		return fmt.Errorf("a rate of %v, wanted 0 (as fast as answers come) or more", p.Rate)
	}
	return nil
}

// Run carries the plan out. Any exchange that fails is an error: a figure in
// which some were not served could not be compared.
func Run(p Plan) (*Result, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	all, err := newThreads(&p)
	if err != nil {
		return nil, err
	}
	var warm, done sync.WaitGroup
	start := make(chan time.Time)
	for _, t := range all {
		warm.Add(1)
		done.Go(func() {
			defer t.shut()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			t.warm()
			warm.Done()
			t.run(<-start)
		})
	}
	warm.Wait()
	if p.Started != nil {
		p.Started()
	}
	now := time.Now()
	for range all {
		start <- now
	}
	done.Wait()
	return sum(all, time.Since(now))
}

func newThreads(p *Plan) ([]*thread, error) {
	n := min(threads, p.Clients)
	var all []*thread
	for i := range n {
		t, err := newThread(p, i, n)
		if err != nil {
			for _, t := range all {
				t.shut()
			}
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

func sum(all []*thread, elapsed time.Duration) (*Result, error) {
	r := &Result{Elapsed: elapsed, Latency: newHistogram()}
	var failed int64
	var cause error
	for _, t := range all {
		r.Done += t.done
		r.Latency.Merge(t.latency)
		failed += t.failed
		if cause == nil {
			cause = t.cause
		}
	}
	if failed > 0 {
		return r, fmt.Errorf("%d of %d exchanges failed, the first: %w", failed, r.Done+failed, cause)
	}
	if r.Done == 0 {
		return r, errors.New("not one exchange was begun")
	}
	return r, nil
}
