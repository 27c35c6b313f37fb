package access

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"os"
	"slices"
	"time"

	"sluice/conf"
)

// Route is the number of a list of log targets. [Log.Route] returns it, and [Log.Release] makes the
// number free again.
type Route uint16

// None is the route of a proxy that does not log.
const None Route = 0

// route is a list of log targets that are open. It is immutable except for uses.
type route struct {
	asked   []conf.LogTarget // without positions
	targets []target         // empty in a log for tests, see Tap
	uses    int              // calls of Route without a call of Release; guarded by mu of the log
}

// Route opens the destinations of these targets and returns their route. It returns None without
// targets, and the same route again for the same targets. Routes with the same destination share
// it. The caller must call Release once for each call of Route.
//
// The error names every target that is invalid or cannot be opened, with its place; no route is made
// then.
func (l *Log) Route(targets []conf.LogTarget) (Route, error) {
	if len(targets) == 0 {
		return None, nil
	}
	asked := withoutPos(targets)
	l.mu.Lock()
	defer l.mu.Unlock()
	routes := *l.routes.Load()
	if i := slices.IndexFunc(routes, func(r *route) bool { return r != nil && slices.Equal(r.asked, asked) }); i >= 0 {
		routes[i].uses++
		return Route(i), nil
	}
	to := freeNumber(routes)
	if to > math.MaxUint16 {
		return None, placed(targets[0], fmt.Errorf("%d different lists of log targets are in use, wanted no more", math.MaxUint16))
	}
	made, err := l.open(targets)
	if err != nil {
		return None, err
	}
	l.set(Route(to), &route{asked: asked, targets: made, uses: 1})
	return Route(to), nil
}

// freeNumber returns the lowest number, from 1, that no route has.
func freeNumber(routes []*route) int {
	if i := slices.Index(routes[1:], nil); i >= 0 {
		return i + 1
	}
	return len(routes)
}

// set gives a number to a route, or makes the number free if r is nil. The caller must hold mu.
func (l *Log) set(to Route, r *route) {
	routes := slices.Clone(*l.routes.Load())
	routes = append(routes, make([]*route, max(int(to)+1-len(routes), 0))...)
	routes[to] = r
	l.routes.Store(&routes)
}

// Release gives back routes that the caller got from Route. After the last release of a route, its
// lines are sent, and the destinations that no other route has are closed.
//
// The caller must have stopped sending lines with these routes: their numbers may belong to other
// targets afterwards. Lines that were sent before are not lost. Release does not wait for slow
// destinations.
func (l *Log) Release(routes ...Route) {
	l.drainRings()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, to := range routes {
		if to != None {
			l.release(to)
		}
	}
}

// release is Release for one route. The caller must hold mu.
func (l *Log) release(to Route) {
	r := (*l.routes.Load())[to]
	if r.uses--; r.uses == 0 {
		l.set(to, nil)
		l.closeTargets(r.targets)
	}
}

// closeTargets closes the destinations that no other target has. The caller must hold mu.
func (l *Log) closeTargets(targets []target) {
	for _, t := range targets {
		l.leave(t.carrier)
	}
}

// leave counts that one user of a carrier has left it. The caller must hold mu.
func (l *Log) leave(c *carrier) {
	if c.uses--; c.uses == 0 {
		c.finish()
		go l.retire(c)
	}
}

// retire waits until a carrier has sent its queue, for flushTime at most, and forgets the carrier.
func (l *Log) retire(c *carrier) {
	c.await(time.Now().Add(flushTime))
	l.report()
	l.mu.Lock()
	defer l.mu.Unlock()
	carriers := slices.DeleteFunc(slices.Clone(*l.carriers.Load()), func(other *carrier) bool { return other == c })
	l.carriers.Store(&carriers)
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

// placed adds the place of a target to an error, if there are both.
func placed(t conf.LogTarget, err error) error {
	if at := t.Pos.String(); err != nil && at != "" {
		return fmt.Errorf("%s: %w", at, err)
	}
	return err
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

// open creates the targets of a route. If one of them cannot be opened, all are closed again. The
// caller must hold mu.
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
		if err == nil {
			made = append(made, n)
		}
		errs = append(errs, placed(t, err))
	}
	err := errors.Join(errs...)
	if err != nil {
		l.closeTargets(made)
	}
	return made, err
}

// carrier returns the carrier of a target's destination, for one more target. The first call for a
// destination opens it. The caller must hold mu.
func (l *Log) carrier(t conf.LogTarget) (*carrier, error) {
	if c := l.carrierOf(t); c != nil {
		c.uses++
		return c, nil
	}
	out, err := l.supply.outlet(t)
	if err != nil {
		return nil, outletError(t, err)
	}
	return l.add(newCarrier(destination(t), out, l)), nil
}

// carrierOf returns the carrier of a target's destination, or nil if the destination is not open.
// The caller must hold mu.
func (l *Log) carrierOf(t conf.LogTarget) *carrier {
	name := destination(t)
	all := *l.carriers.Load()
	i := slices.IndexFunc(all, func(c *carrier) bool { return c.name == name && c.uses > 0 })
	if i < 0 {
		return nil
	}
	return all[i]
}

// add adds a carrier that has its first target. The caller must hold mu.
func (l *Log) add(c *carrier) *carrier {
	c.uses = 1
	carriers := append(slices.Clone(*l.carriers.Load()), c)
	l.carriers.Store(&carriers)
	return c
}
