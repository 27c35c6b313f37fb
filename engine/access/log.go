package access

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// flushTime is the longest time that Close waits for slow destinations.
const flushTime = time.Second

// Log is the access log of the process: its destinations, their carriers and the collector. All
// methods may be called from any goroutine.
type Log struct {
	tag    string
	logger *zap.Logger

	mu       sync.Mutex                 // held while routes, carriers and sinks are added or removed
	carriers atomic.Pointer[[]*carrier] // open destinations and those that are being closed; replaced under mu
	routes   atomic.Pointer[[]*route]   // by number, nil: a free number; replaced under mu
	sinks    atomic.Pointer[[]*Sink]    // replaced under mu

	supply *Supply // nil: the log opens its destinations itself; guarded by mu

	asleep    atomic.Bool        // the collector waits for wake
	wake      chan struct{}      // wakes the collector; its buffer holds one value
	rounds    chan chan struct{} // asks the collector for a round; it closes the received channel after that
	stop      chan struct{}      // closed: the collector makes a last round and ends
	collected chan struct{}      // closed by the collector when it ends
	closing   sync.Once

	tap func(to Route, lv Level, line []byte) // gets all lines, see Tap; nil: they go to the targets

	dropped   atomic.Uint64 // lines that carriers dropped, including closed carriers
	reporting atomic.Bool   // a report of dropped lines is scheduled
	reportMu  sync.Mutex    // held while dropped lines are reported
}

// Open starts a log without routes. tag is the program name in the headers of lines. Dropped lines
// are reported to logger, the process log. Close must be called to end the goroutines.
func Open(tag string, logger *zap.Logger) *Log {
	l := &Log{
		tag: tag, logger: logger,
		wake: make(chan struct{}, 1), rounds: make(chan chan struct{}),
		stop: make(chan struct{}), collected: make(chan struct{}),
	}
	l.carriers.Store(&[]*carrier{})
	l.routes.Store(&[]*route{nil}) // None
	l.sinks.Store(&[]*Sink{})
	go l.collect()
	return l
}

// NewSink returns a new sink, for one loop.
func (l *Log) NewSink() *Sink {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &Sink{log: l}
	sinks := append(slices.Clone(*l.sinks.Load()), s)
	l.sinks.Store(&sinks)
	return s
}

// Say sends a text to the targets of a route. It is for messages that do not belong to a
// connection. Control characters are replaced, so that a text from a server cannot fake a line.
func (l *Log) Say(to Route, lv Level, text string) {
	l.deliver(&frame{to: to, level: lv, at: time.Now(), line: printable(text)})
	l.dispatch()
}

func printable(text string) []byte {
	line := []byte(text)
	for i, b := range line {
		if b < ' ' || b == 0x7f {
			line[i] = '?'
		}
	}
	return line
}

// deliver copies a line to the queue of every target that accepts its level.
func (l *Log) deliver(f *frame) {
	if l.tap != nil {
		l.tap(f.to, f.level, f.line)
		return
	}
	r := (*l.routes.Load())[f.to]
	if r == nil {
		return
	}
	for i := range r.targets {
		if t := &r.targets[i]; t.wants(f.level) {
			t.carrier.put(t, f)
		}
	}
}

// dispatch wakes the carriers that have lines to send.
func (l *Log) dispatch() {
	for _, c := range *l.carriers.Load() {
		c.dispatch()
	}
}

// Close sends the queued lines, for about a second at most, and ends the log. Sinks may still be
// used; their lines are then lost.
func (l *Log) Close() {
	l.closing.Do(func() {
		close(l.stop)
		<-l.collected
		deadline := time.Now().Add(flushTime)
		for _, c := range *l.carriers.Load() {
			c.finish()
		}
		for _, c := range *l.carriers.Load() {
			c.await(deadline)
		}
		l.report()
	})
}
