package engine

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/conf"
	"sluice/engine/session"
	"sluice/engine/site"
	"sluice/pool/stat"
)

// generation is a site in use.
type generation struct {
	serial int   // 1: the configuration of the start; each reload adds 1
	number uint8 // number of the site on all loops
	site   *site.Site
	since  time.Time
	ends   time.Time     // when hard-stop-after ends its sessions; zero: never
	loops  atomic.Int32  // loops that use the site
	gone   chan struct{} // closed when the site is closed and its number is free
}

// generations are the sites in use. Its methods may be called from any goroutine.
type generations struct {
	newest atomic.Pointer[generation]
	closed sync.WaitGroup  // counts the goroutines that close sites
	aside  func(do func()) // closed.Go; a simulation has one goroutine and sets a function of its own
	freed  func()          // called after a site was closed, on the goroutine that has closed it

	mu       sync.Mutex
	live     []*generation                    // by serial
	byNumber [session.Generations]*generation // nil: the number is not in use
}

// today returns the newest site.
func (g *generations) today() *site.Site { return g.newest.Load().site }

// free returns a number for another site. The error is a fullError if all numbers are in use.
func (g *generations) free() (uint8, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.byNumber[:], nil); i >= 0 {
		return uint8(i), nil
	}
	oldest := g.live[0]
	return 0, &fullError{live: len(g.live), oldest: oldest}
}

// add makes a site the newest one. number is a result of free. All loops must then be told to use
// it.
func (g *generations) add(number uint8, s *site.Site, loops int) *generation {
	fresh := &generation{serial: 1, number: number, site: s, since: stat.Clock(), gone: make(chan struct{})}
	fresh.loops.Store(int32(loops))
	if was := g.newest.Load(); was != nil {
		fresh.serial = was.serial + 1
	}
	g.mu.Lock()
	g.live = append(g.live, fresh)
	g.byNumber[number] = fresh
	g.mu.Unlock()
	g.newest.Store(fresh)
	return fresh
}

// left is called when a loop no longer uses a site. After the last loop the site is closed, on
// another goroutine.
func (g *generations) left(number uint8) {
	old := g.byNumber[number] // does not change while a loop uses the site
	if old.loops.Add(-1) == 0 {
		g.aside(func() {
			g.end(old)
			g.freed()
		})
	}
}

func (g *generations) end(old *generation) {
	old.site.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.live = slices.DeleteFunc(g.live, func(other *generation) bool { return other == old })
	g.byNumber[old.number] = nil
	close(old.gone)
}

// confs returns the configurations in use.
func (g *generations) confs() (all []*conf.Config) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, one := range g.live {
		all = append(all, one.site.Conf)
	}
	return all
}

// endAll closes all sites. No loop may run any more, and no goroutine may close a site.
func (g *generations) endAll() {
	for _, one := range slices.Clone(g.live) {
		g.end(one)
	}
}
