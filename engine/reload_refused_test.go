//go:build !simulation

package engine

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/listen"
	"sluice/engine/sock"
)

// visitor connects to an address again and again. Everything but ECONNREFUSED is an error.
type visitor struct {
	over    atomic.Bool
	clients sync.WaitGroup
	refused atomic.Int64
	let     atomic.Int64 // connections
}

// visit starts to connect on two goroutines.
func visit(t *testing.T, to string) *visitor {
	t.Helper()
	v := &visitor{}
	t.Cleanup(v.leave)
	for range 2 {
		v.clients.Go(func() {
			for !v.over.Load() {
				conn, err := net.Dial("tcp", to)
				switch {
				case err == nil:
					v.let.Add(1)
					conn.Close()
				case errors.Is(err, unix.ECONNREFUSED):
					v.refused.Add(1)
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	return v
}

func (v *visitor) leave() {
	v.over.Store(true)
	v.clients.Wait()
}

// more waits until this number of further attempts was refused, or until one was not.
func (v *visitor) more(t *testing.T, n int64) {
	t.Helper()
	n += v.refused.Load()
	wait(t, "clients that are refused", func() bool { return v.refused.Load() >= n || v.let.Load() > 0 || t.Failed() })
}

// finish ends the attempts. None may have led to a connection.
func (v *visitor) finish(t *testing.T) {
	t.Helper()
	v.leave()
	if n := v.let.Load(); n > 0 {
		t.Errorf("%d clients were connected, %d were refused; want all refused", n, v.refused.Load())
	}
	t.Logf("%d clients were refused", v.refused.Load())
}

// unusedAddress returns an address that nobody uses. Clients get the source address 127.0.0.1, so
// none is connected to itself.
func unusedAddress(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.9:%d", unusedPort(t))
}

// A reload whose second new bind line cannot be bound lets nobody connect to the first one.
func TestRefusedReloadLetsNobodyIn(t *testing.T) {
	b := start(t, answering("one"))
	to, missing := unusedAddress(t), filepath.Join(t.TempDir(), "missing", "s")
	v := visit(t, to)
	for range 200 {
		v.more(t, 5)
		_, err := b.tryReload(answering("two") + "frontend g\n  bind " + to + "\n  bind unix@" + missing + "\n")
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Fatalf("got %v; want an error for %s", err, missing)
		}
	}
	v.finish(t)
}

// refuses connects once to an address, which must not be possible.
func refuses(t *testing.T, network, to string) {
	t.Helper()
	if c, err := net.Dial(network, to); err == nil {
		c.Close()
		t.Errorf("a client is connected to %s", to)
	} else if !errors.Is(err, unix.ECONNREFUSED) && !errors.Is(err, unix.ENOENT) {
		t.Errorf("a client of %s: %v; want ECONNREFUSED", to, err)
	}
}

// A drain or a stop that comes when the sockets of a reload are bound refuses the reload. Nobody has
// been able to connect to them. The reload does not even try to listen, because that would fail.
func TestReloadRefusedWhenBound(t *testing.T) {
	for name, end := range map[string]func(*Engine){"drain": (*Engine).Drain, "stop": (*Engine).Stop} {
		t.Run(name, func(t *testing.T) {
			b := start(t, answering("one"))
			to, other, path := unusedAddress(t), unusedAddress(t), filepath.Join(t.TempDir(), "s")
			v := visit(t, to)
			c := parse(t, b.before+answering("two")+"frontend g\n  bind "+to+"\n  bind unix@"+path+"\n  bind "+other+"\n")
			_, err := b.reloadAfter(c, func(n *listen.Next) {
				listenInstead(t, n.Binds[3].FDs, other)
				v.more(t, 20)
				refuses(t, "unix", path)
				end(b.Engine)
			})
			if !errors.Is(err, ErrLeaving) {
				t.Errorf("got %v; want ErrLeaving", err)
			}
			v.more(t, 20)
			v.finish(t)
			if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the socket file is left: %v", err)
			}
			b.join()
		})
	}
}

// reloadAfter is a reload that calls do when its sockets are bound.
func (b *balancer) reloadAfter(c *conf.Config, do func(*listen.Next)) (*Reloaded, error) {
	b.t.Helper()
	s, err := compiled(c)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.Engine.reload(s, func() (*listen.Next, error) {
		n, err := b.sockets.Prepare(c, sock.LookUp)
		if err == nil {
			do(n)
		}
		return n, err
	})
}

// listenInstead listens on the address of bound sockets, which makes their listen(2) fail.
func listenInstead(t *testing.T, bound []int, at string) net.Listener {
	t.Helper()
	for _, fd := range bound { // with it, the kernel lets others listen
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	rival, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rival.Close() })
	return rival
}

// If listen(2) fails, the configuration of before stays, and the error names the bind line.
func TestReloadRefusedByListen(t *testing.T) {
	b := start(t, answering("one"))
	to := unusedAddress(t)
	text := answering("two") + "frontend g\n  bind " + to + "\n"
	before := descriptors(t)
	var rival net.Listener
	_, err := b.reloadAfter(parse(t, b.before+text), func(n *listen.Next) { rival = listenInstead(t, n.Binds[1].FDs, to) })
	if want := "frontend 'g' can't listen on " + to + ": "; !errors.Is(err, sock.ErrBusy) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v; want ErrBusy for %s", err, want)
	}
	conn := b.dial("f")
	if got := get(t, conn); got != "one" || len(b.serials()) != 1 {
		t.Errorf("got %q from generations %v after the refused reload", got, b.serials())
	}
	conn.Close()
	wait(t, "its sockets to be closed", func() bool { return descriptors(t) <= before+1 }) // the rival
	rival.Close()
	b.reload(text)
}
