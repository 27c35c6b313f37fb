//go:build !simulation

package relay

import (
	"io"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// TestLastBytesLeaveWithFIN counts the segments in which a peer receives the last bytes of a
// stream and its FIN.
func TestLastBytesLeaveWithFIN(t *testing.T) {
	s, f, from, to := endedStream(t, "bye")
	before := tcpInfo(t, to.fd).Segs_out
	if out, e := s.Pump(f, from.fd, to.fd, 1<<20); out != Ended || e != 0 {
		t.Fatalf("outcome %d, %v; want %d", out, e, Ended)
	}
	sock.ShutdownWrite(to.fd)
	if n := tcpInfo(t, to.fd).Segs_out - before; n != 1 {
		t.Errorf("%d segments, want 1", n)
	}
	if got, err := io.ReadAll(to.peer); string(got) != "bye" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestBytesThatNoFINFollows: where the pump stops at a number of bytes, the connection may
// continue. So the kernel must not keep bytes back for a FIN.
func TestBytesThatNoFINFollows(t *testing.T) {
	s, f, from, to := endedStream(t, "one")
	if n, out, e := s.PumpUpTo(f, from.fd, to.fd, 1<<20, 3); n != 3 || out != Reached || e != 0 {
		t.Fatalf("%d bytes, outcome %d, %v; want 3, %d", n, out, e, Reached)
	}
	if n := tcpInfo(t, to.fd).Notsent_bytes; n != 0 {
		t.Errorf("%d bytes wait in the socket", n)
	}
}

// endedStream returns a flow whose source has sent text and FIN. Both have arrived, and the
// flags are set as after an event for them.
func endedStream(t *testing.T, text string) (s *Stock, f *Flow, from, to link) {
	t.Helper()
	s, f, from, to = NewStock(DefaultSizes(), budgetsOf(1<<20), 1, 0), &Flow{}, newLink(t), newLink(t)
	t.Cleanup(func() { s.Close(); to.peer.Close() })
	if _, err := io.WriteString(from.peer, text); err != nil {
		t.Fatal(err)
	}
	from.peer.Close()
	waitFor(t, from.fd, unix.POLLRDHUP)
	f.Set(SourceReady | SourceClosing | TargetReady)
	return s, f, from, to
}

func tcpInfo(t *testing.T, fd int) *unix.TCPInfo {
	t.Helper()
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		t.Fatal(err)
	}
	return info
}
