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

// flushTime bounds how long Close waits for slow destinations.
const flushTime = time.Second

// Route names the targets of one proxy. Get it from [Log.Route].
type Route uint16

// None is the route of a proxy without log lines.
const None Route = 0

// Log is the process's log: its destinations, the carriers that serve them and
// the collector that feeds them. All its methods may be called from anywhere.
type Log struct {
	tag    string
	logger *zap.Logger

	mu       sync.Mutex // guards the opening of routes and sinks, and asked
	asked    [][]conf.LogTarget
	carriers atomic.Pointer[[]*carrier] // replaced under mu, as are routes and sinks
	routes   atomic.Pointer[[][]target]
	sinks    atomic.Pointer[[]*Sink]

	asleep    atomic.Bool   // the collector waits for wake
	wake      chan struct{} // holds at most one token
	stop      chan struct{} // closed: the collector ends with a last round
	collected chan struct{} // closed by the collector when it has ended
	closing   sync.Once

	reporting atomic.Bool // a report of drops is due
	telling   sync.Mutex  // held by the one who reports
}

// Open starts a log without routes. tag is the program's name in the headers;
// logger is the process's own log, which hears of dropped lines. Close must be
// called to end its goroutines.
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

// NewSink makes the sink of one more loop.
func (l *Log) NewSink() *Sink {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &Sink{log: l}
	sinks := append(slices.Clone(*l.sinks.Load()), s)
	l.sinks.Store(&sinks)
	return s
}

// Route opens what these targets need and returns their route: None if there
// are no targets, the same route if they were asked for before. Targets of
// several routes that go to one destination share it. The error tells every
// target that is wrong or can't be opened, and then no route is made.
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

// Check tells every target that Route would refuse. It opens nothing. lookUp
// finds the address of a host name.
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

// withoutPos makes targets comparable: where they are written does not matter.
func withoutPos(targets []conf.LogTarget) []conf.LogTarget {
	targets = slices.Clone(targets)
	for i := range targets {
		targets[i].Pos = conf.Pos{}
	}
	return targets
}

// open makes the targets of a route. The caller holds mu.
func (l *Log) open(targets []conf.LogTarget) ([]target, error) {
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

// carrier returns the one that serves a target's destination. The caller holds mu.
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

// Say sends a text to the targets of a route, for messages that are not of a
// connection. What does not print in it is replaced, so that a text from a
// server cannot forge a line.
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

// deliver copies a line to the queue of every target that wants it.
func (l *Log) deliver(f *frame) {
	route := (*l.routes.Load())[f.to]
	for i := range route {
		if t := &route[i]; t.wants(f.level) {
			t.carrier.put(t, f)
		}
	}
}

// dispatch sends the carriers on their way.
func (l *Log) dispatch() {
	for _, c := range *l.carriers.Load() {
		c.dispatch()
	}
}

// Close sends what is queued, for a second at most, and ends the log. Sinks may
// still be used, to no effect.
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
