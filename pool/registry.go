package pool

import (
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
	state                      *Registry
	frontends, binds, backends []string // names of the objects in use, guarded by Registry.mu
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
func (l *Lease) Backend(fresh *Backend) (*Backend, []Change) {
	b := l.backend(fresh)
	if b == fresh {
		return b, nil
	}
	return b, b.Follow(fresh)
}

func (l *Lease) backend(fresh *Backend) *Backend {
	l.state.mu.Lock()
	defer l.state.mu.Unlock()
	l.backends = append(l.backends, fresh.Name)
	return l.state.backends.use(fresh.Name, func() *Backend { return fresh })
}

// End ends the use of all objects of the lease. The objects that no other lease uses are forgotten:
// their names then stand for new objects. Further calls have no effect.
func (l *Lease) End() {
	l.state.mu.Lock()
	defer l.state.mu.Unlock()
	l.state.frontends.leave(l.frontends)
	l.state.binds.leave(l.binds)
	l.state.backends.leave(l.backends)
	l.frontends, l.binds, l.backends = nil, nil, nil
}

// shelf contains the objects of one kind by name. The nil shelf is empty.
type shelf[T any] map[string]*shared[T]

// shared is an object with the number of its uses.
type shared[T any] struct {
	object *T
	uses   int
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

// leave removes one use for each name, and forgets the objects that have no use any more.
func (s shelf[T]) leave(names []string) {
	for _, name := range names {
		one := s[name]
		one.uses--
		if one.uses == 0 {
			delete(s, name)
		}
	}
}
