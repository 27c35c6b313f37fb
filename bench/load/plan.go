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

// Exchange is one request and its complete expected answer.
type Exchange struct {
	Request []byte
	Answer  []byte
}

// Plan describes the load that Run makes.
type Plan struct {
	Addr      netip.AddrPort
	Exchanges []Exchange // used one after the other, then again from the first
	Clients   int        // highest number of connections at the same time
	// Keep makes each client use one connection, and repeat the same exchange on it. Without
	// Keep, each exchange has its own connection, which the server closes.
	Keep bool
	Rate float64       // exchanges begun per second; 0: a closed loop
	For  time.Duration // time during which exchanges are begun
	// Started is called once before the first exchange that is counted. With Keep all clients
	// are connected before.
	Started func()
	// Tolerate makes Run count failed exchanges in Result.Failures, instead of returning an error.
	Tolerate bool
	Sampled  bool // Run records Result.Samples
	// Stop ends the load early when it is closed. nil: never.
	Stop <-chan struct{}
}

// Result is the result of a Plan.
type Result struct {
	Done    int64                   // exchanges with the expected answer
	Elapsed time.Duration           // from the start to the end of the last exchange
	Latency *hdrhistogram.Histogram // in nanoseconds, until the answer is complete
	// Samples are the exchanges of a plan with Sampled whose answers were complete.
	Samples  []Sample
	Failures Failures
}

// Sample is the latency of one exchange.
type Sample struct {
	Due  time.Duration // when the exchange should have begun, counted from the start
	Took time.Duration // from Due until the answer was complete
}

// grace is the time that answers may take after the last exchange was begun.
const grace = 10 * time.Second

// threads is the number of threads of Run. On a small machine, two leave a core for each thread
// of the proxy. wrk is started with as many.
const threads = 2

// newHistogram returns a histogram from 1 µs to one minute with three significant digits.
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

func (p *Plan) stopped() bool {
	select {
	case <-p.Stop:
		return true
	default:
		return false
	}
}

// Run makes the load of the plan. If any exchange fails, Run returns an error: figures without
// the failed exchanges would not be comparable.
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

// sum adds up the results of all threads.
func sum(all []*thread, elapsed time.Duration) (*Result, error) {
	r := &Result{Elapsed: elapsed, Latency: newHistogram()}
	for _, t := range all {
		r.Done += t.done
		r.Latency.Merge(t.latency)
		r.Failures.Merge(t.failures)
		r.Samples = append(r.Samples, t.samples...)
	}
	if failed := r.Failures.Sum(); failed > 0 && !all[0].plan.Tolerate {
		return r, fmt.Errorf("%d of %d exchanges failed, the first: %w", failed, r.Done+failed, r.Failures.Cause)
	}
	if r.Done == 0 {
		return r, errors.New("not one exchange was begun")
	}
	return r, nil
}
