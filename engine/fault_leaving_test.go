//go:build !simulation

package engine

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// stalledReader returns a client that does not read. Its server has sent bytes and then RST.
func (b *balancer) stalledReader(gone chan bool) net.Conn {
	b.t.Helper()
	c := b.dialSmall("f")
	<-gone
	b.silent(1500 * time.Millisecond)
	return c
}

// Fault 1. A reset that waits for a reader costs almost no processor time while the reader does
// not read. When the reader has read everything, the reset follows at once.
func TestFault01ResetOfStalledReader(t *testing.T) {
	text := bytes.Repeat([]byte("slow reader "), 5000)
	gone := make(chan bool)
	config := plain + "  server s " + newPeer(t, func(c *net.TCPConn) {
		_, _ = c.Write(text)
		resetSent(t, c)
		gone <- true
	}).String()
	t.Run("calls", func(t *testing.T) {
		calls := filepath.Join(t.TempDir(), "calls")
		b := startChild(t, []string{"strace", "-f", "-qq", "--seccomp-bpf", "-o", calls, "-e", "trace=ioctl"}, 1000, config)
		c := b.stalledReader(gone)
		log, err := os.ReadFile(calls)
		if n := bytes.Count(log, []byte("SIOCOUTQ")) + bytes.Count(log, []byte("TIOCOUTQ")); n == 0 || n > 20 {
			t.Errorf("the kernel was asked %d times in 1.5 s, %v; want some, and at most 20", n, err)
		}
		_, _ = io.ReadAll(c)
	})
	t.Run("time", func(t *testing.T) {
		b, soonest := start(t, config), time.Hour
		for range 3 { // any of them may be late on a busy machine
			c := b.stalledReader(gone)
			got, last, err := readToEnd(c)
			if !bytes.Equal(got, text) || !isReset(err) {
				t.Fatalf("%d bytes, then %v; want %d and a reset", len(got), err, len(text))
			}
			b.wantTerm("SD")
			if soonest = min(soonest, last); soonest < 200*time.Millisecond {
				return
			}
		}
		t.Errorf("the reset came %v after the last byte", soonest)
	})
}

// readToEnd reads to the end. last is the time between the last byte and the end.
func readToEnd(c net.Conn) (got []byte, last time.Duration, err error) {
	b := make([]byte, 64<<10)
	for at := time.Now(); ; at = time.Now() {
		n, err := c.Read(b)
		got = append(got, b[:n]...)
		if err != nil {
			return got, time.Since(at), err
		}
	}
}
