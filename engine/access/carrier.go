package access

import (
	"context"
	"sync"
	"time"
)

// queueSize is the limit in bytes for lines that wait for one destination. The carrier writes one
// queue while the next one fills, so up to twice as much may be in memory.
const queueSize = 256 << 10

// retryEvery is the pause before the next attempt at a destination that did not accept its lines.
const retryEvery = 100 * time.Millisecond

// carrier sends lines to one destination. put may be called from any goroutine. Only the carrier's
// own goroutine uses the outlet.
type carrier struct {
	name  string
	out   outlet
	drops drops
	log   *Log // counts and reports dropped lines
	uses  int  // targets of routes, and Reopenings, that have this carrier; 0: it is being closed; guarded by mu of the log

	wake   chan struct{}   // wakes the goroutine; its buffer holds one value
	giveUp context.Context // ended: no further attempts
	stop   func()          // ends giveUp
	done   chan struct{}   // closed by the goroutine when it ends

	mu       sync.Mutex // guards the fields below
	queue    batch
	finished bool
	next     outlet // takes the place of out; nil: none
	err      error  // last error of the outlet since trouble was called; nil: none
}

// batch holds lines in one buffer. The first line is buf[:ends[0]], the second is
// buf[ends[0]:ends[1]], and so on.
type batch struct {
	buf  []byte
	ends []int
	sent int // bytes that were sent
	line int // lines that were sent completely
}

func (b *batch) empty() bool { return b.line == len(b.ends) }

func (b *batch) reset() { *b = batch{buf: b.buf[:0], ends: b.ends[:0]} }

// first returns the unsent rest of the first line that was not sent completely.
func (b *batch) first() []byte { return b.buf[b.sent:b.ends[b.line]] }

// advance records that n more bytes were sent.
func (b *batch) advance(n int) {
	for b.sent += n; !b.empty() && b.sent >= b.ends[b.line]; b.line++ {
	}
}

// rewind makes the first line that was not sent completely be sent from its beginning.
func (b *batch) rewind() {
	b.sent = 0
	if b.line > 0 {
		b.sent = b.ends[b.line-1]
	}
}

func newCarrier(name string, out outlet, log *Log) *carrier {
	c := &carrier{name: name, out: out, log: log, wake: make(chan struct{}, 1), done: make(chan struct{})}
	c.giveUp, c.stop = context.WithCancel(context.Background())
	go c.run()
	return c
}

// drop counts n dropped lines.
func (c *carrier) drop(n int) {
	c.drops.add(n)
	c.log.dropped.Add(uint64(n))
}

// put adds a line to the queue in the format of the target. It drops the line if the queue is full.
func (c *carrier) put(t *target, f *frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished || len(c.queue.buf)+len(f.line) > queueSize {
		c.drop(1)
		c.log.lost()
		return
	}
	c.queue.buf = t.append(c.queue.buf, f.level, f.at, f.line)
	c.queue.ends = append(c.queue.ends, len(c.queue.buf))
}

// dispatch wakes the goroutine if there are lines to send, or if the carrier must end.
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

// replace makes an outlet take the place of the present one, and wakes the goroutine, which closes the
// present one.
func (c *carrier) replace(out outlet) {
	c.mu.Lock()
	if c.next != nil {
		c.next.close()
	}
	c.next = out
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// change puts the next outlet, if there is one, in the place of the present one. The new one gets a
// line completely of which the old one has a part.
func (c *carrier) change(b *batch) {
	c.mu.Lock()
	next := c.next
	c.next = nil
	c.mu.Unlock()
	if next != nil {
		c.out.close()
		c.out = next
		b.rewind()
	}
}

// run is the carrier's goroutine, which sends the lines. It ends when finish was called and the
// queue is empty, or when a send has failed after giveUp was cancelled.
func (c *carrier) run() {
	defer close(c.done)
	var b batch
	defer func() {
		c.change(&b)
		c.out.close()
	}()
	for c.take(&b) {
		for err := c.out.send(&b, c.fail); err != nil; err = c.out.send(&b, c.fail) {
			c.note(err)
			if !c.pause() {
				c.drop(len(b.ends) - b.line)
				return
			}
			c.change(&b)
		}
	}
}

// take waits for lines and exchanges them for the batch b, all of which was sent. It returns false
// after finish, when the queue is empty.
func (c *carrier) take(b *batch) bool {
	for {
		c.change(b)
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

// fail counts a line that can never be sent to this destination as dropped.
func (c *carrier) fail(err error) {
	c.note(err)
	c.drop(1)
	c.log.lost()
}

func (c *carrier) note(err error) {
	c.mu.Lock()
	c.err = err
	c.mu.Unlock()
}

// trouble returns the last error of the destination and clears it.
func (c *carrier) trouble() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.err
	c.err = nil
	return err
}

// pause waits before the next attempt. It returns false if there must be none.
func (c *carrier) pause() bool {
	select {
	case <-time.After(retryEvery):
		return true
	case <-c.giveUp.Done():
		return false
	}
}

// finish makes the carrier end after its queue is sent.
func (c *carrier) finish() {
	c.mu.Lock()
	c.finished = true
	c.mu.Unlock()
	c.dispatch()
}

// await waits for the end of the carrier until the deadline. Then it stops further attempts and
// waits a little longer. A goroutine that is still blocked in a write is abandoned. Several
// goroutines may wait at the same time.
func (c *carrier) await(deadline time.Time) {
	if !c.ended(deadline) {
		c.stop()
		c.ended(deadline.Add(2 * datagramWait))
	}
	c.mu.Lock()
	c.drop(len(c.queue.ends))
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
