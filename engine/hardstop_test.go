//go:build !simulation

package engine

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

const (
	defaults = "defaults\n  log global\n  option tcplog\n"
	hardStop = "global\n  hard-stop-after 300ms\n" + defaults
)

// hard-stop-after ends the connections of a configuration that a reload has replaced, and only these.
func TestHardStopEndsReplacedConfigurations(t *testing.T) {
	server := newPeer(t, echo).String()
	for name, first := range map[string]string{"set by the first": hardStop, "set by the second": defaults} {
		t.Run(name, func(t *testing.T) {
			b := start(t, first+echoing(server, ""))
			old := greeted(t, b.dial("f"))
			began := time.Now()
			b.reload(hardStop + echoing(server, ""))
			fresh := greeted(t, b.dial("f"))
			if _, err := io.ReadAll(old); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took < 300*time.Millisecond {
				t.Errorf("the old connection was ended after %v", took)
			}
			if line := b.line(); !strings.Contains(line, " KD ") {
				t.Errorf("logged %s, want KD", line)
			}
			b.only(2)
			greeted(t, fresh)
		})
	}
}

// A frontend is removed while a client waits in the queue of its socket, because the limit is reached.
// hard-stop-after ends that client, too: it does not begin a session of the old configuration.
func TestHardStopEndsTheQueueOfARemovedFrontend(t *testing.T) {
	cfg := strings.Replace(echoing(newPeer(t, echo).String(), ""), "127.0.0.1:1\n", "127.0.0.1:1 maxconn 1\n", 1)
	b := start(t, defaults+cfg)
	r := &rebinder{balancer: b}
	greeted(t, b.dial("f"))
	var waiting []net.Conn
	for range 6 {
		waiting = append(waiting, b.dial("f"))
	}
	wait(t, "a listener to wait", func() bool { return r.paused() > 0 })
	b.reload(hardStop + strings.Replace(cfg, "frontend f", "frontend g", 1))
	b.only(2)
	for _, c := range waiting {
		if text, _ := fetch(c); text != "" {
			t.Errorf("a client in the queue got %q", text)
		}
	}
}

// hard-stop-after limits a drain.
func TestHardStopLimitsADrain(t *testing.T) {
	b := start(t, hardStop+echoing(newPeer(t, echo).String(), ""))
	conns := []net.Conn{greeted(t, b.dial("f")), greeted(t, b.dial("f"))}
	b.Drain()
	greeted(t, conns[0])
	b.join()
	for _, c := range conns {
		if _, err := io.ReadAll(c); err != nil {
			t.Error(err)
		}
	}
}

// A drain that ends before hard-stop-after does not wait for it.
func TestHardStopDoesNotDelayADrain(t *testing.T) {
	b := start(t, strings.Replace(hardStop, "300ms", "1h", 1)+echoing(newPeer(t, echo).String(), ""))
	greeted(t, b.dial("f")).Close()
	b.Drain()
	b.join()
}
