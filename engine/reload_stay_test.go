//go:build !simulation

package engine

import (
	"fmt"
	"net"
	"runtime"
	"testing"
)

// After 1,000 reloads the process has as much memory, as many goroutines, descriptors and
// configurations as after the tenth. Every reload has new names of backends and servers, each tenth
// also those of frontends and addresses.
func TestThousandReloadsLeaveNothing(t *testing.T) {
	server := newPeer(t, echo).String()
	port := unusedPort(t)
	cfg := func(n int) string {
		text := echoing(server+fmt.Sprintf(" weight %d", 1+n%7), "")
		for i := range 10 {
			text += fmt.Sprintf("backend b%d-%d\n  server s%d %s check inter 1h\n", n, i, n, server)
		}
		front := n / 10
		return text + fmt.Sprintf("frontend f%d\n  bind 127.0.%d.1:%d\n  acl a hdr(host) n%d.test\n  use_backend b%d-3 if a\n  default_backend b%d-4\n", front, 1+front, port, n, n, n)
	}
	b := start(t, cfg(0))
	tunnel := greeted(t, b.dial("f"))
	type state struct{ heap, goroutines, fds, generations int }
	look := func() (s state) {
		wait(t, "replaced configurations to be closed", func() bool { return len(b.serials()) <= 2 })
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return state{int(m.HeapAlloc), runtime.NumGoroutine(), descriptors(t), len(b.serials())}
	}
	var tenth state
	for n := 1; n <= 1000; n++ {
		if n%300 == 0 { // removed addresses accept clients for a while, under the configuration that had them
			look()
		}
		b.reload(cfg(n))
		conn, err := net.Dial("tcp", b.addrs["f"].String()) // dial would keep it until the end of the test
		if err != nil {
			t.Fatal(err)
		}
		greeted(t, conn).Close()
		if n == 10 {
			tenth = look()
		}
	}
	last := look()
	tunnel.Close()
	const tolerance = 1 << 20 // of the test itself and of the runtime
	if last.heap > tenth.heap+tolerance || last.goroutines > tenth.goroutines+2 || last.fds > tenth.fds+2 || last.generations > tenth.generations {
		t.Errorf("after 10 reloads %+v, after 1,000 %+v", tenth, last)
	}
}
