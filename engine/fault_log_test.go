//go:build !simulation

package engine

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Fault 24. A full disk or a syslog socket without a reader does not disturb any client. A
// reader that returns gets the lines logged from then on. (Package access tests that lost lines
// are counted.)
func TestFault24LogNobodyTakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "syslog")
	syslog, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syslog.Close() })
	b := start(t, "  log file@/dev/full local0\n  log "+path+" local0\n"+plain+
		"  server s "+newPeer(t, answers("fine")).String())
	for range 500 {
		began := time.Now()
		if got := tryAsk(b); got != "fine" {
			t.Fatalf("got %q", got)
		}
		if took := time.Since(began); took > promptly {
			t.Errorf("a client waited %v", took)
		}
	}
	for range 500 { // the reader of the other target misses no line
		b.wantTerm("--")
	}
	wait(t, "the reader to be served again", func() bool {
		c := b.dialFrom("127.0.0.77", "f")
		closeWrite(t, c)
		_, _ = fetch(c)
		b.wantTerm("--")
		return arrives(syslog, "127.0.0.77:")
	})
}

// arrives reads the lines that are there, and reports whether one contains text.
func arrives(syslog *net.UnixConn, text string) bool {
	_ = syslog.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	for line := make([]byte, 64<<10); ; {
		n, err := syslog.Read(line)
		if err != nil {
			return false
		}
		if strings.Contains(string(line[:n]), text) {
			return true
		}
	}
}
