package access

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/conf"
)

// haproxy runs the installed HAProxy. Its lines are the expected ones.
func haproxy(t *testing.T, format string, args ...any) {
	t.Helper()
	binary, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("haproxy is not installed; TestAppendTCP and TestHeaders hold what it said before")
	}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, fmt.Appendf(nil, format, args...), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-db", "-f", file)
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// freePort returns a port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	for {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := ln.Addr().(*net.TCPAddr).Port
		ln.Close()
		if _, given := givenPorts.LoadOrStore(port, true); !given {
			return port
		}
	}
}

// givenPorts has the ports that freePort has returned. The kernel may give one twice, and HAProxy
// binds twice to one port.
var givenPorts sync.Map

// visit connects as soon as the port accepts connections, and waits for the end of the connection.
func visit(t *testing.T, port int) {
	t.Helper()
	eventually(t, "haproxy listens", func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		defer conn.Close()
		_ = conn.SetReadDeadline(time.Now().Add(within))
		_, _ = conn.Read(make([]byte, 1)) // any end of the connection will do
		return true
	})
}

var tcplog = regexp.MustCompile(`^(\S+) \[(\S+)\] (\S+) (\S+)/(\S+) (-?\d+)/(-?\d+)/(-?\d+) (\d+) (..) ` +
	`(\d+)/(\d+)/(\d+)/(\d+)/(\+?)(\d+) (\d+)/(\d+)$`)

// parse parses a line into a record.
func parse(t *testing.T, line string) *Record {
	t.Helper()
	m := tcplog.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("not a tcplog line: %q", line)
	}
	num := func(i int) int64 { n, _ := strconv.ParseInt(m[i], 10, 64); return n }
	accept, err := time.ParseInLocation("02/Jan/2006:15:04:05.000", m[2], time.Local)
	if err != nil {
		t.Fatal(err)
	}
	r := &Record{Client: netip.MustParseAddrPort(m[1]), Accept: accept, Frontend: m[3], Backend: m[4],
		Tw: num(6), Tc: num(7), Tt: num(8), Bytes: uint64(num(9)), Term: [2]byte{m[10][0], m[10][1]},
		Act: int32(num(11)), Fe: int32(num(12)), Be: int32(num(13)), Srv: int32(num(14)),
		Redispatched: m[15] == "+", Retries: int32(num(16)), SrvQueue: int32(num(17)), BeQueue: int32(num(18))}
	if m[5] != "<NOSRV>" {
		r.Server = m[5]
	}
	return r
}

// TestLinesOfHAProxy makes HAProxy log connections that end in different ways, and formats the same
// values here.
func TestLinesOfHAProxy(t *testing.T) {
	server, target := syslogd(t)
	rejects, refused, redispatched := freePort(t), freePort(t), freePort(t)
	haproxy(t, `
global
  log 127.0.0.1:%d format raw local0
defaults
  mode tcp
  log global
  option tcplog
  retries 1
  timeout connect 100ms
  timeout client 5s
  timeout server 5s
listen rejects
  bind 127.0.0.1:%d
  tcp-request content reject
listen refused
  bind 127.0.0.1:%d
  server nobody 127.0.0.1:1
listen redispatched
  bind 127.0.0.1:%d
  balance roundrobin
  option redispatch
  server nobody 127.0.0.1:1
  server none 127.0.0.1:1
`, target.Address.Port, rejects, refused, redispatched)
	for port, want := range map[int]string{rejects: " -1/-1/", refused: " SC ", redispatched: "/+1 "} {
		visit(t, port)
		line := strings.TrimSuffix(receive(t, server), "\n")
		if !strings.Contains(line, want) {
			t.Errorf("haproxy logs %q without %q", line, want)
		}
		if got := string(new(Formatter).AppendTCP(nil, parse(t, line))); got != line {
			t.Errorf("got  %s\nwant %s", got, line)
		}
	}
}

// TestHeadersOfHAProxy compares every format of a log line, with its header and length.
func TestHeadersOfHAProxy(t *testing.T) {
	port := freePort(t)
	var logs strings.Builder
	servers := map[string]net.Conn{}
	for format := range headers {
		server, target := syslogd(t)
		servers[format] = server
		fmt.Fprintf(&logs, "  log 127.0.0.1:%d len 80 format %s local3\n", target.Address.Port, format)
	}
	haproxy(t, `
frontend www
  mode tcp
  bind 127.0.0.1:%d
  tcp-request content reject
  timeout client 5s
%s`, port, logs.String())
	visit(t, port)
	for format, server := range servers {
		theirs := receive(t, server)
		ours := render(t, conf.LogTarget{Format: format, Facility: "local3", Length: 80}, Info,
			"Connect from 127.0.0.1:12345 to 127.0.0.1:12345 (www/TCP)")
		if got, want := shape(ours), shape(theirs); got != want {
			t.Errorf("%s: got %q, want %q", format, got, want)
		}
		if len(theirs) == 81 && len(ours) != 81 {
			t.Errorf("%s: cut to %d bytes, want %d", format, len(ours), len(theirs))
		}
	}
}

// shape returns the start of a line without the parts that differ in each run: the month, and the
// digits after the priority.
func shape(line string) string {
	head, _, _ := strings.Cut(line, "Conn")
	head = regexp.MustCompile(`[A-Z][a-z]{2} [ \d]\d `).ReplaceAllString(head, "Mon 0 ")
	head = regexp.MustCompile(`[-+](\d\d:\d\d )`).ReplaceAllString(head, "+$1")
	priority := regexp.MustCompile(`^<\d+>`).FindString(head)
	return priority + regexp.MustCompile(`\d+`).ReplaceAllString(head[len(priority):], "0")
}
