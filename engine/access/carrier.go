package access

import (
	"sync"
	"time"
)

// queueSize is how many bytes may wait for one destination. Twice as much can be
// under way, as the carrier works on one queue while the next one fills.
const queueSize = 256 << 10

// retryEvery is the pause before a destination that could not take its lines is
// tried again.
const retryEvery = 100 * time.Millisecond

// carrier brings lines to one destination. Everybody may put; its goroutine
// alone uses the outlet.
type carrier struct {
	name  string
	out   outlet
	drops drops
	lost  func() // hears of drops that the goroutine found

	wake   chan struct{} // holds at most one token
	giveUp chan struct{} // closed: no more retries
	done   chan struct{} // closed by the goroutine when it has ended

	mu       sync.Mutex // guards the rest
	queue    batch
	finished bool
	err      error // the last one of the outlet
}

// batch is lines in one piece: buf[:ends[0]] is the first, and so on.
type batch struct {
	buf  []byte
	ends []int
	sent int // bytes that are out
	line int // lines that are out
}

func (b *batch) empty() bool { return b.line == len(b.ends) }

func (b *batch) reset() { *b = batch{buf: b.buf[:0], ends: b.ends[:0]} }

// first is what is left of the first line that is not out.
func (b *batch) first() []byte { return b.buf[b.sent:b.ends[b.line]] }

// advance notes that n more bytes are out.
func (b *batch) advance(n int) {
	for b.sent += n; !b.empty() && b.sent >= b.ends[b.line]; b.line++ {
	}
}

func newCarrier(name string, out outlet, lost func()) *carrier {
	c := &carrier{
		name: name, out: out, lost: lost,
		wake: make(chan struct{}, 1), giveUp: make(chan struct{}), done: make(chan struct{}),
	}
	go c.run()
	return c
}

// put queues a line as the target wants it, or drops it if the queue is full.
func (c *carrier) put(t *target, f *frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished || len(c.queue.buf)+len(f.line) > queueSize {
		c.drops.add(1)
		c.lost()
		return
	}
	c.queue.buf = t.append(c.queue.buf, f.level, f.at, f.line)
	c.queue.ends = append(c.queue.ends, len(c.queue.buf))
}

// dispatch wakes the goroutine if there is something to carry.
func (c *carrier) dispatch() {
	c.mu.Lock()
	waiting := !c.queue.empty() || c.finished
	c.mu.Unlock()
	if waiting {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// run is the carrier's goroutine. It ends when the queue is finished and out, or
// given up.
func (c *carrier) run() {
	defer close(c.done)
	defer c.out.close()
	var b batch
	for c.take(&b) {
		for err := c.out.send(&b, c.fail); err != nil; err = c.out.send(&b, c.fail) {
			c.note(err)
			if !c.pause() {
				c.drops.add(len(b.ends) - b.line)
				return
			}
		}
	}
}

// take waits for lines and swaps them for the empty b. It returns false when
// there will be none.
func (c *carrier) take(b *batch) bool {
	for {
		c.mu.Lock()
		if !c.queue.empty() {
			b.reset()
			c.queue, *b = *b, c.queue
			c.mu.Unlock()
			return true
		}
		finished := c.finished
		c.mu.Unlock()
		if finished {
			return false
		}
		<-c.wake
	}
}

// fail counts a line that can't be sent to this destination.
func (c *carrier) fail(err error) {
	c.note(err)
	c.drops.add(1)
	c.lost()
}

func (c *carrier) note(err error) {
	c.mu.Lock()
	c.err = err
	c.mu.Unlock()
}

// trouble returns the last error of the destination and forgets it.
func (c *carrier) trouble() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.err
	c.err = nil
	return err
}

// pause waits before the next attempt, and returns false when there is none.
func (c *carrier) pause() bool {
	select {
	case <-time.After(retryEvery):
		return true
	case <-c.giveUp:
		return false
	}
}

// finish lets the carrier end once its queue is out.
func (c *carrier) finish() {
	c.mu.Lock()
	c.finished = true
	c.mu.Unlock()
	c.dispatch()
}

// await waits for the end until the deadline, then tells the carrier to give up
// and waits a little more. One that is stuck in a write even then is left behind.
func (c *carrier) await(deadline time.Time) {
	if !c.ended(deadline) {
		close(c.giveUp)
		c.ended(deadline.Add(2 * patience))
	}
	c.mu.Lock()
	c.drops.add(len(c.queue.ends))
	c.queue.reset()
	c.mu.Unlock()
}

func (c *carrier) ended(deadline time.Time) bool {
	select {
	case <-c.done:
		return true
	case <-time.After(time.Until(deadline)):
		return false
	}
}
