//go:build !simulation

package engine

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// Reloads of a large configuration leave nothing in memory, while a tunnel holds the first one.
func TestLargeReloadsLeaveNothing(t *testing.T) {
	server := newPeer(t, echo).String()
	cfg := func(n int) string {
		var s strings.Builder
		s.WriteString(echoing(server, "") + "frontend g\n  mode http\n  bind 127.0.0.1:1\n")
		for i := range 2000 {
			fmt.Fprintf(&s, "  use_backend b%d if { hdr(host) -i h%d.test }\n", i%400, i+n%2)
		}
		for i := range 400 {
			fmt.Fprintf(&s, "backend b%d\n  mode http\n  server s %s weight %d\n", i, server, 1+n%2)
		}
		return s.String()
	}
	b := start(t, cfg(0))
	tunnel := greeted(t, b.dial("f"))
	heap := func() int {
		wait(t, "replaced configurations to be closed", func() bool { return len(b.serials()) <= 2 })
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	var fourth int
	for n := 1; n <= 20; n++ {
		b.reload(cfg(n))
		if n == 4 {
			fourth = heap()
		}
	}
	last := heap()
	greeted(t, tunnel).Close()
	const tolerance = 1 << 20 // less than one such configuration needs
	if last > fourth+tolerance {
		t.Errorf("%d bytes after 4 reloads, %d after 20", fourth, last)
	}
}
