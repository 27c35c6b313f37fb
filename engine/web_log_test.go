//go:build !simulation

package engine

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// webLog contains the lines of option httplog, by frontend, each with its syslog priority. The parts
// that always differ are removed: addresses, times, and numbers of bytes and connections. Of each
// time only remains whether it is known: -1 or n.
type webLog struct {
	socket net.PacketConn
	lines  chan string
	found  map[string][]string
}

var knownTime = regexp.MustCompile(`(^|/)\+?\d+`)

var webLogLine = regexp.MustCompile(`^(<\d+>)\S+ \[\S+\] (\S+) (\S+) (\S+) (-?\d+) \d+ - - (....) \S+/(\+?\d+) \d+/\d+ "(.*)"$`)

func newWebLog(t *testing.T) *webLog {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = socket.(*net.UDPConn).SetReadBuffer(8 << 20)
	l := &webLog{socket: socket, lines: make(chan string, 1<<16), found: map[string][]string{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		line := make([]byte, 64<<10)
		for n, _, err := socket.ReadFrom(line); err == nil; n, _, err = socket.ReadFrom(line) {
			l.lines <- strings.TrimSuffix(string(line[:n]), "\n")
		}
	}()
	t.Cleanup(func() { _ = socket.Close(); <-done })
	return l
}

// defaults returns lines of a defaults section. They send all lines to l, and lines of errors at
// another level.
func (l *webLog) defaults() string {
	return "  no log\n  log " + l.socket.LocalAddr().String() + " len 8192 format short local0\n  option log-separate-errors\n"
}

// read reads the lines that have arrived.
func (l *webLog) read() {
	for len(l.lines) > 0 {
		if m := webLogLine.FindStringSubmatch(<-l.lines); m != nil {
			m[4] = knownTime.ReplaceAllString(m[4], "${1}n")
			l.found[m[2]] = append(l.found[m[2]], m[1]+strings.Join(m[3:], " "))
		}
	}
}

// of returns the lines of one case.
func (l *webLog) of(i int) []string {
	l.read()
	return l.found[fmt.Sprintf("c%d", i)]
}

// compareWebLogs compares level, backend, server, status, termination state, retries and request line,
// if the conversation is the same.
func compareWebLogs(t *testing.T, cases []*webCase, theirs, ours *webLog) {
	t.Helper()
	for i, c := range cases {
		if c.differs != "" || c.logged != "" {
			continue
		}
		waitUntil(patienceOfTests/10, func() bool { return slices.Equal(theirs.of(i), ours.of(i)) })
		if diff := cmp.Diff(theirs.of(i), ours.of(i)); diff != "" {
			t.Errorf("%s: log of HAProxy (-) and ours (+):\n%s", c.name, diff)
		}
	}
}
