package pool

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// nobody is a log of events that is not read.
func nobody(Event) {}

func TestRegistryReturnsTheSameObjectForTheSameName(t *testing.T) {
	var r Registry
	first, second := r.Lease(), r.Lease()
	web := first.Frontend("web")
	web.Limit.SetMax(3)
	web.Stat.Open(0)
	if again := second.Frontend("web"); again != web || again.Name != "web" || again.Limit.Max() != 3 || again.Stat.Cur() != 1 {
		t.Errorf("%+v, want the same frontend", again)
	}
	if other := second.Frontend("other"); other == web || other.Limit.Max() != 0 {
		t.Errorf("another frontend has maximum %d, want no limit", other.Limit.Max())
	}
	bind := first.Bind("127.0.0.1:80")
	if second.Bind("127.0.0.1:80") != bind || second.Bind("127.0.0.1:81") == bind {
		t.Error("a limit does not belong to its address")
	}
}

func TestRegistryKeepsTheFirstBackendOfAName(t *testing.T) {
	var r Registry
	web := func(retries int) *Backend {
		c := weighted(1)
		c.Retries = retries
		return mustNew(t, c)
	}
	first := web(3)
	if got, changes := r.Lease().Backend(first, nobody); got != first || changes != nil {
		t.Errorf("changes %v of a new backend", changes)
	}
	got, changes := r.Lease().Backend(web(5), nobody)
	if got != first || got.Conf().Retries != 5 || fmt.Sprint(changes) != "[backend bk: retries 3 is now 5]" {
		t.Errorf("another backend: %v, changes %s", got != first, changes)
	}
	c := weighted(1)
	c.Name = "other"
	other := mustNew(t, c)
	if got, _ := r.Lease().Backend(other, nobody); got != other {
		t.Error("a backend does not belong to its name")
	}
}

// An object is forgotten when the last lease that uses it ends, in whichever order the leases end.
func TestRegistryForgetsWhatNobodyUses(t *testing.T) {
	for _, newestFirst := range []bool{false, true} {
		t.Run(fmt.Sprint("newest first: ", newestFirst), func(t *testing.T) {
			var r Registry
			leases := []*Lease{r.Lease(), r.Lease()}
			backend := func(l *Lease) *Backend {
				b, _ := l.Backend(mustNew(t, weighted(1)), nobody)
				return b
			}
			web, bind, back := leases[0].Frontend("web"), leases[0].Bind("127.0.0.1:80"), backend(leases[0])
			leases[1].Frontend("web")
			leases[1].Bind("127.0.0.1:80")
			leases[1].Bind("127.0.0.1:80") // two bind lines
			backend(leases[1])
			if newestFirst {
				leases[0], leases[1] = leases[1], leases[0]
			}
			leases[0].End()
			leases[0].End()
			third := r.Lease()
			if third.Frontend("web") != web || third.Bind("127.0.0.1:80") != bind || backend(third) != back {
				t.Error("an object was forgotten while a lease used it")
			}
			leases[1].End()
			third.End()
			if n := len(r.frontends) + len(r.binds) + len(r.backends); n != 0 {
				t.Errorf("%d names are known after the last lease", n)
			}
			if again := r.Lease(); again.Frontend("web") == web || again.Bind("127.0.0.1:80") == bind || backend(again) == back {
				t.Error("an object is used again after its last lease")
			}
		})
	}
}

// Names that change with each reload leave nothing behind.
func TestRegistryDoesNotGrowWithReloads(t *testing.T) {
	var r Registry
	old := r.Lease()
	reload := func(n int) {
		fresh := r.Lease()
		for i := range 20 {
			name := fmt.Sprintf("%d of reload %d", i, n)
			fresh.Frontend(name)
			fresh.Bind(name)
			c := weighted(1, 1)
			c.Name = name
			fresh.Backend(mustNew(t, c), nobody)
		}
		old.End()
		old = fresh
	}
	for n := range 10 {
		reload(n)
	}
	before := heap()
	for n := range 1000 {
		reload(10 + n)
	}
	if after := heap(); after > before+1<<20 {
		t.Errorf("the heap has %d bytes after 10 reloads and %d after 1010", before, after)
	}
	runtime.KeepAlive(&r)
}

// heap returns the bytes of reachable objects.
func heap() uint64 {
	var m runtime.MemStats
	for range 2 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestRegistryIsUsedByManyGoroutines(t *testing.T) {
	var r Registry
	var all sync.WaitGroup
	last := r.Lease()
	last.Frontend("web")
	for range 8 {
		all.Go(func() {
			l := r.Lease()
			l.Frontend("web").Stat.Conns.Open(0)
			l.End()
		})
	}
	all.Wait()
	if n := last.Frontend("web").Stat.Conns.Total(); n != 8 {
		t.Errorf("%d connections counted, want 8 in one frontend", n)
	}
}
