package pool

import (
	"context"
	"sync"

	"sluice/pool/stat"
)

// Registry holds the state that exists once in a process: backends, and the counters and limits of
// frontends and listening addresses. All generations of the configuration share it. Each generation
// has a Lease, with which it finds the objects by their names. It gets the object of this name that
// an earlier generation has, or a new one. An object is forgotten when the last lease that uses it
// ends.
//
// The zero value is empty and ready to use. The methods of Registry and Lease may be called from any
// goroutine. They take a lock, so loops do not call them: a loop uses the objects that its
// generation has found. A Registry must not be copied.
type Registry struct {
	mu        sync.Mutex // guards the following fields and the leases
	frontends shelf[Frontend]
	binds     shelf[stat.Limit]
	backends  shelf[Backend]
	check     func(*Backend) (end func()) // starts the checks of a backend; nil: Check does not run
}

// Frontend is the state of a frontend that all generations of the configuration share.
type Frontend struct {
	Name  string
	Limit stat.Limit // maxconn of the frontend
	Stat  stat.Proxy
}

// Lease returns a lease that uses nothing yet.
func (r *Registry) Lease() *Lease { return &Lease{state: r} }

// Lease is the use of objects of a Registry by one generation. The generation must call End when no
// loop uses these objects for it any more.
type Lease struct {
	state            *Registry
	frontends, binds []string // names of the objects in use, guarded by Registry.mu
	backends         []*Backend
}

// Frontend returns the frontend of this name. If there is none, it makes one, without a limit.
func (l *Lease) Frontend(name string) *Frontend {
	l.state.mu.Lock()
	defer l.state.mu.Unlock()
	l.frontends = append(l.frontends, name)
	return l.state.frontends.use(name, func() *Frontend { return &Frontend{Name: name} })
}

// Bind returns the limit (maxconn) of the listening sockets at this address. If there is none, it
// makes one, without a maximum. The text must be the same for the same address: callers use the
// address to which the sockets are bound. The frontend is not part of the name, so the limit
// remains when another frontend gets the address.
func (l *Lease) Bind(address string) *stat.Limit {
	l.state.mu.Lock()
	defer l.state.mu.Unlock()
	l.binds = append(l.binds, address)
	return l.state.binds.use(address, func() *stat.Limit { return new(stat.Limit) })
}

// Backend returns the backend that has the name of fresh, after it has followed the configuration of
// fresh, and the changes. If there is none, it stores and returns fresh, without changes.
//
// log gets the events of the backend until a later lease uses it, and again when no later one does.
// It is not called any more after End. It is called as the say of Check is.
func (l *Lease) Backend(fresh *Backend, log func(Event)) (b *Backend, changes []Change) {
	b = l.backend(fresh)
	if b != fresh {
		changes = b.Follow(fresh)
	}
	b.logTo(log, l)
	return b, changes
}

// backend finds or stores the backend. It starts the checks of a new one if Check runs.
func (l *Lease) backend(fresh *Backend) *Backend {
	r := l.state
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.backends.use(fresh.Name, func() *Backend { return fresh })
	l.backends = append(l.backends, b)
	if b == fresh && r.check != nil {
		r.backends[b.Name].end = r.check(b)
	}
	return b
}

// End ends the use of all objects of the lease. The objects that no other lease uses are forgotten:
// their names then stand for new objects, and their checks end. Further calls have no effect.
func (l *Lease) End() {
	r := l.state
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range l.frontends {
		r.frontends.leave(name)
	}
	for _, address := range l.binds {
		r.binds.leave(address)
	}
	for _, b := range l.backends {
		b.endLog(l)
		r.backends.leave(b.Name)
	}
	l.frontends, l.binds, l.backends = nil, nil, nil
}

// Check runs the health checks of all backends until ctx ends, and returns when the last check has
// finished. The checks of a backend run from its first lease to its last one, so a reload does not
// start them again.
//
// Check calls say for each change of a server that checks have found. The log of the newest lease
// that uses the backend gets the event, too. Several goroutines call say, one for each backend at a
// time. say should not block for long, and must not change a server. Check runs once at a time.
func (r *Registry) Check(ctx context.Context, say func(Event)) {
	var all sync.WaitGroup
	r.setCheck(func(b *Backend) func() {
		alive, end := context.WithCancel(ctx)
		all.Go(func() {
			b.check(alive, newProber, func(e Event) {
				say(e)
				b.log(e)
			})
		})
		return end
	})
	<-ctx.Done()
	r.setCheck(nil)
	all.Wait()
}

// setCheck sets the function that starts checks, and calls it for the present backends.
func (r *Registry) setCheck(check func(*Backend) (end func())) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.check = check
	for _, one := range r.backends {
		if check != nil {
			one.end = check(one.object)
		}
	}
}

// shelf contains the objects of one kind by name. The nil shelf is empty.
type shelf[T any] map[string]*shared[T]

// shared is an object with the number of its uses.
type shared[T any] struct {
	object *T
	uses   int
	end    func() // is called when the object is forgotten; nil: nothing to do
}

// use adds a use of the object of this name and returns it. If there is none, use stores the result
// of fresh.
func (s *shelf[T]) use(name string, fresh func() *T) *T {
	one := (*s)[name]
	if one == nil {
		if *s == nil {
			*s = shelf[T]{}
		}
		one = &shared[T]{object: fresh()}
		(*s)[name] = one
	}
	one.uses++
	return one.object
}

// leave removes a use of the object of this name, and forgets the object after the last one.
func (s shelf[T]) leave(name string) {
	one := s[name]
	one.uses--
	if one.uses > 0 {
		return
	}
	delete(s, name)
	if one.end != nil {
		one.end()
	}
}
