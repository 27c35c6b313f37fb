package access

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"sluice/conf"
)

// openFiles returns the number of descriptors of this process that refer to a path.
func openFiles(t *testing.T, path string) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil && to == path {
			n++
		}
	}
	return n
}

// closed waits until the log has n carriers.
func (l *Log) closed(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d carriers remain", n), func() bool { return len(*l.carriers.Load()) == n })
}

// TestRoutesComeAndGo: each round opens routes and releases them, as reloads do. No descriptor and
// no goroutine remains, and no line is lost.
func TestRoutesComeAndGo(t *testing.T) {
	const reloads = 20
	dir := t.TempDir()
	l := Open("lb", zap.NewNop())
	defer l.Close()
	sink := l.NewSink()
	before := runtime.NumGoroutine()
	for i := range reloads {
		one, two := rawFile(filepath.Join(dir, "one")), rawFile(filepath.Join(dir, "two"))
		two.Level = levels[i%len(levels)] // a different list of targets in each round
		routes := []Route{mustRoute(t, l, one), mustRoute(t, l, one, two), mustRoute(t, l), mustRoute(t, l, one)}
		if want := []Route{1, 2, None, 1}; !slices.Equal(routes, want) {
			t.Fatalf("round %d: routes %d, want %d", i, routes, want)
		}
		sink.Send(routes[0], Info, []byte("from a loop"))
		l.Say(routes[1], Emerg, "from elsewhere")
		l.Release(routes...)
	}
	l.closed(t, 0)
	eventually(t, "no goroutine remains", func() bool { return runtime.NumGoroutine() <= before })
	for _, name := range []string{"one", "two"} {
		if n := openFiles(t, filepath.Join(dir, name)); n != 0 {
			t.Errorf("file %s: %d descriptors are still open", name, n)
		}
	}
	if n := len(readLines(t, filepath.Join(dir, "one"))); n != 2*reloads || l.Dropped() != 0 {
		t.Errorf("%d lines, %d dropped; want %d and 0", n, l.Dropped(), 2*reloads)
	}
}

// TestRoutesShareACarrierUntilTheLastRelease: a destination stays open while one of its routes is
// in use, so a new route does not open it again.
func TestRoutesShareACarrierUntilTheLastRelease(t *testing.T) {
	l, path, first := fileLog(t)
	second := mustRoute(t, l, rawFile(path), rawFile("/dev/null"))
	shared := (*l.routes.Load())[first].targets[0].carrier
	l.Release(first)
	l.closed(t, 2)
	l.Say(second, Info, "after the first release")
	third := mustRoute(t, l, rawFile(path))
	if third != first {
		t.Errorf("the new route is %d, want the free number %d", third, first)
	}
	if got := (*l.routes.Load())[third].targets[0].carrier; got != shared {
		t.Error("the new route opened the file again")
	}
	l.Release(second)
	l.closed(t, 1)
	l.Say(third, Info, "after the second release")
	l.Release(third)
	l.closed(t, 0)
	if got := readLines(t, path); !slices.Equal(got, []string{"after the first release", "after the second release"}) {
		t.Errorf("got %q", got)
	}
}

// TestReleaseOncePerRoute: the same targets twice are one route, which lives until the second
// release.
func TestReleaseOncePerRoute(t *testing.T) {
	l, path, first := fileLog(t)
	second := mustRoute(t, l, rawFile(path))
	l.Release(first)
	l.Say(second, Info, "still open")
	l.Release(second)
	l.closed(t, 0)
	if got := readLines(t, path); !slices.Equal(got, []string{"still open"}) {
		t.Errorf("got %q", got)
	}
}

func TestRouteInErrorLeavesNothingOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := Open("lb", zap.NewNop())
	defer l.Close()
	if _, err := l.Route([]conf.LogTarget{rawFile(path), rawFile("/nonexistent/log")}); err == nil {
		t.Error("got no error")
	}
	l.closed(t, 0)
	eventually(t, "the file is closed", func() bool { return openFiles(t, path) == 0 })
	if to := mustRoute(t, l, rawFile(path)); to != 1 {
		t.Errorf("route %d, want 1", to)
	}
}

// TestReleaseOfAStuckTarget: Release does not wait for a destination that takes nothing. Its lines
// are dropped later; they are counted, and reported.
func TestReleaseOfAStuckTarget(t *testing.T) {
	core, reports := observer.New(zap.WarnLevel)
	l := Open("lb", zap.New(core))
	defer l.Close()
	stuck := mustRoute(t, l, rawFile("/dev/full"))
	for range 5 {
		l.Say(stuck, Info, "lost")
	}
	l.Release(stuck)
	if n := len(*l.carriers.Load()); n != 1 {
		t.Errorf("%d carriers right after Release; want 1, which is still trying", n)
	}
	l.closed(t, 0)
	if n := l.Dropped(); n != 5 {
		t.Errorf("%d dropped, want 5", n)
	}
	eventually(t, "the drops are reported", func() bool {
		return reports.FilterField(zap.String("target", "file@/dev/full")).FilterField(zap.Uint64("lines", 5)).Len() == 1
	})
}

// TestOtherRoutesDuringReleases: loops go on to send lines while routes come and go.
func TestOtherRoutesDuringReleases(t *testing.T) {
	const lines = 2000
	l, path, route := fileLog(t)
	dir := t.TempDir()
	var senders sync.WaitGroup
	for loop := range 2 {
		sink := l.NewSink()
		senders.Go(func() {
			for i := range lines / 2 {
				sink.Send(route, Info, fmt.Appendf(nil, "%d %d", loop, i))
			}
		})
	}
	for i := range 50 {
		l.Release(mustRoute(t, l, rawFile(filepath.Join(dir, fmt.Sprint(i)))), mustRoute(t, l, rawFile(path), rawFile("/dev/null")))
	}
	senders.Wait()
	l.Release(route)
	l.closed(t, 0)
	if n := len(readLines(t, path)); n != lines {
		t.Errorf("%d lines, want %d", n, lines)
	}
}

// TestReleaseRightAfterManyLines: the lines that loops sent before Release arrive, although their
// route is gone then.
func TestReleaseRightAfterManyLines(t *testing.T) {
	const lines = 1000
	l, dir := Open("lb", zap.NewNop()), t.TempDir()
	defer l.Close()
	sink := l.NewSink()
	for round := range 20 {
		path := filepath.Join(dir, fmt.Sprint(round))
		route := mustRoute(t, l, rawFile(path))
		for i := range lines {
			sink.Send(route, Info, numbered(i))
		}
		l.Release(route)
		l.closed(t, 0)
		if n := len(readLines(t, path)); n != lines {
			t.Fatalf("round %d: %d lines, want %d", round, n, lines)
		}
	}
}

// TestReleaseAfterClose: the order of Release and Close does not matter.
func TestReleaseAfterClose(t *testing.T) {
	l, path, route := fileLog(t)
	l.Say(route, Info, "a line")
	l.Close()
	l.Release(route)
	l.closed(t, 0)
	if got := strings.Join(readLines(t, path), "|"); got != "a line" {
		t.Errorf("got %q", got)
	}
}
