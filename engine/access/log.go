package access

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sluice/conf"
)

// flushTime is the longest time that Close waits for slow destinations.
const flushTime = time.Second

// Route identifies the log targets of one proxy. [Log.Route] returns it.
type Route uint16

// None is the route of a proxy that does not log.
const None Route = 0

// Log is the access log of the process: its destinations, their carriers and the collector. All
// methods may be called from any goroutine.
type Log struct {
	tag    string
	logger *zap.Logger

	mu       sync.Mutex // guards asked; held while routes and sinks are added
	asked    [][]conf.LogTarget
	carriers atomic.Pointer[[]*carrier] // replaced under mu, like routes and sinks
	routes   atomic.Pointer[[][]target]
	sinks    atomic.Pointer[[]*Sink]

	asleep    atomic.Bool   // the collector waits for wake
	wake      chan struct{} // wakes the collector; its buffer holds one value
	stop      chan struct{} // closed: the collector makes a last round and ends
	collected chan struct{} // closed by the collector when it ends
	closing   sync.Once

	tap func(to Route, lv Level, line []byte) // gets all lines, see Tap; nil: they go to the targets

	reporting atomic.Bool // a report of dropped lines is scheduled
	reportMu  sync.Mutex  // held while dropped lines are reported
}

// Open starts a log without routes. tag is the program name in the headers of lines. Dropped lines
// are reported to logger, the process log. Close must be called to end the goroutines.
func Open(tag string, logger *zap.Logger) *Log {
	l := &Log{
		tag: tag, logger: logger,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), collected: make(chan struct{}),
	}
	l.carriers.Store(&[]*carrier{})
	l.routes.Store(&[][]target{nil}) // None
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

// Route opens the destinations of these targets and returns their route. It returns None without
// targets, and the same route again for the same targets. Routes with the same destination share
// it.
//
// The error names every target that is invalid or cannot be opened; no route is made then.
func (l *Log) Route(targets []conf.LogTarget) (Route, error) {
	if len(targets) == 0 {
		return None, nil
	}
	targets = withoutPos(targets)
	l.mu.Lock()
	defer l.mu.Unlock()
	same := func(asked []conf.LogTarget) bool { return slices.Equal(asked, targets) }
	if i := slices.IndexFunc(l.asked, same); i >= 0 {
		return Route(i + 1), nil
	}
	made, err := l.open(targets)
	if err != nil {
		return None, err
	}
	l.asked = append(l.asked, targets)
	routes := append(slices.Clone(*l.routes.Load()), made)
	l.routes.Store(&routes)
	return Route(len(l.asked)), nil
}

// Check returns an error that names every target that Route would refuse. It opens nothing. lookUp
// resolves a host name.
func Check(targets []conf.LogTarget, lookUp func(host string) (netip.Addr, error)) error {
	var errs []error
	for _, t := range targets {
		_, err := newTarget(t, "", 0)
		if err == nil {
			if err = checkOutlet(t, lookUp); err != nil {
				err = outletError(t, err)
			}
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func outletError(t conf.LogTarget, err error) error {
	return fmt.Errorf("log target %s: %w", destination(t), err)
}

// withoutPos returns the targets without their positions in the configuration, so that they can be
// compared.
func withoutPos(targets []conf.LogTarget) []conf.LogTarget {
	targets = slices.Clone(targets)
	for i := range targets {
		targets[i].Pos = conf.Pos{}
	}
	return targets
}

// open creates the targets of a route. The caller must hold mu.
func (l *Log) open(targets []conf.LogTarget) ([]target, error) {
	if l.tap != nil {
		return nil, nil
	}
	var made []target
	var errs []error
	for _, t := range targets {
		n, err := newTarget(t, l.tag, os.Getpid())
		if err == nil {
			n.carrier, err = l.carrier(t)
		}
		made = append(made, n)
		errs = append(errs, err)
	}
	return made, errors.Join(errs...)
}

// carrier returns the carrier of a target's destination. The first call for a destination opens it.
// The caller must hold mu.
func (l *Log) carrier(t conf.LogTarget) (*carrier, error) {
	name := destination(t)
	for _, c := range *l.carriers.Load() {
		if c.name == name {
			return c, nil
		}
	}
	out, err := openOutlet(t)
	if err != nil {
		return nil, outletError(t, err)
	}
	c := newCarrier(name, out, l.lost)
	carriers := append(slices.Clone(*l.carriers.Load()), c)
	l.carriers.Store(&carriers)
	return c, nil
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
	route := (*l.routes.Load())[f.to]
	for i := range route {
		if t := &route[i]; t.wants(f.level) {
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
