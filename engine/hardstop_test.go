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
