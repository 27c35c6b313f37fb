package pool

import (
	"sync"

	"sluice/pool/stat"
)

// Registry holds the state that exists once in a process: backends, and the counters and limits of
// frontends and listening addresses. All generations of the configuration share it. A generation
// finds each object by its name. It gets the object of this name that an earlier generation had, or
// a new one.
//
// The zero value is empty and ready to use. The methods may be called from any goroutine. They take
// a lock, so loops do not call them: a loop uses the objects that its generation has found. A
// Registry must not be copied.
type Registry struct {
	mu        sync.Mutex // guards the maps
	frontends map[string]*Frontend
	binds     map[string]*stat.Limit
	backends  map[string]*Backend
}

// Frontend is the state of a frontend that all generations of the configuration share.
type Frontend struct {
	Name  string
	Limit stat.Limit // maxconn of the frontend
	Stat  stat.Proxy
}

// Frontend returns the frontend of this name. If there is none, it makes one, without a limit.
func (r *Registry) Frontend(name string) *Frontend {
	return known(r, &r.frontends, name, func() *Frontend { return &Frontend{Name: name} })
}

// Bind returns the limit (maxconn) of the listening sockets at this address. If there is none, it
// makes one, without a maximum. The text must be the same for the same address: callers use the
// address to which the sockets are bound. The frontend is not part of the name, so the limit
// remains when another frontend gets the address.
func (r *Registry) Bind(address string) *stat.Limit {
	return known(r, &r.binds, address, func() *stat.Limit { return new(stat.Limit) })
}

// Backend returns the backend that has the name of b. If there is none, it stores and returns b.
func (r *Registry) Backend(b *Backend) *Backend {
	return known(r, &r.backends, b.Name, func() *Backend { return b })
}

// known returns the object of this name in all, which is one of the maps of r. If there is none, it
// stores and returns the result of fresh.
func known[T any](r *Registry, all *map[string]*T, name string, fresh func() *T) *T {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := (*all)[name]; one != nil {
		return one
	}
	one := fresh()
	if *all == nil {
		*all = map[string]*T{}
	}
	(*all)[name] = one
	return one
}
