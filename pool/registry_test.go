package pool

import (
	"sync"
	"testing"
)

func TestRegistryReturnsTheSameObjectForTheSameName(t *testing.T) {
	var r Registry
	web := r.Frontend("web")
	web.Limit.SetMax(3)
	web.Stat.Open(0)
	if again := r.Frontend("web"); again != web || again.Name != "web" || again.Limit.Max() != 3 || again.Stat.Cur() != 1 {
		t.Errorf("%+v, want the same frontend", again)
	}
	if other := r.Frontend("other"); other == web || other.Limit.Max() != 0 {
		t.Errorf("another frontend has maximum %d, want no limit", other.Limit.Max())
	}
	bind := r.Bind("127.0.0.1:80")
	if r.Bind("127.0.0.1:80") != bind || r.Bind("127.0.0.1:81") == bind {
		t.Error("a limit does not belong to its address")
	}
}

func TestRegistryKeepsTheFirstBackendOfAName(t *testing.T) {
	var r Registry
	first, second := &Backend{Name: "web"}, &Backend{Name: "web"}
	if r.Backend(first) != first || r.Backend(second) != first {
		t.Error("the first backend is not kept")
	}
	if other := (&Backend{Name: "other"}); r.Backend(other) != other {
		t.Error("a backend does not belong to its name")
	}
}

func TestRegistryIsUsedByManyGoroutines(t *testing.T) {
	var r Registry
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { r.Frontend("web").Stat.Conns.Open(0) })
	}
	all.Wait()
	if n := r.Frontend("web").Stat.Conns.Total(); n != 8 {
		t.Errorf("%d connections counted, want 8 in one frontend", n)
	}
}
