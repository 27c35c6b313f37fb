package access

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/conf"
)

// within is the longest time that a test waits for an expected event.
const within = 10 * time.Second

// eventually waits until the condition is true.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(within)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %s", what, within)
		}
	}
}

func mustRoute(t *testing.T, l *Log, targets ...conf.LogTarget) Route {
	t.Helper()
	route, err := l.Route(targets)
	if err != nil {
		t.Fatal(err)
	}
	return route
}

// rawFile returns a target that writes lines without headers to a file.
func rawFile(path string) conf.LogTarget {
	return conf.LogTarget{Kind: conf.LogFile, Path: path, Format: "raw", Facility: "local0"}
}

func fileLog(t *testing.T) (*Log, string, Route) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	l := Open("haproxy", zap.NewNop())
	t.Cleanup(l.Close)
	return l, path, mustRoute(t, l, rawFile(path))
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(content) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
}

// syslogd listens for UDP datagrams and returns a target that sends to it.
func syslogd(t *testing.T) (*net.UDPConn, conf.LogTarget) {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return conn, conf.LogTarget{Kind: conf.LogUDP, Facility: "local0",
		Address: conf.Address{IP: netip.AddrFrom4([4]byte{127, 0, 0, 1}), Port: to.Port()}}
}

// devLog listens on a UNIX socket and returns a raw target that sends to it.
func devLog(t *testing.T, path string) (*net.UnixConn, conf.LogTarget) {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, conf.LogTarget{Kind: conf.LogUnix, Format: "raw", Facility: "local0",
		Address: conf.Address{Net: conf.NetUnix, Path: path}}
}

// receive reads one datagram.
func receive(t *testing.T, conn net.Conn) string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}
