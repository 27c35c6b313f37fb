//go:build !simulation

package engine

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// webLog contains the lines of option httplog, by frontend. The parts that always differ are
// removed: addresses, times, and numbers of bytes and connections. Of each time only remains
// whether it is known: -1 or n.
type webLog struct {
	lines chan string
	found map[string][]string
}

var knownTime = regexp.MustCompile(`(^|/)\+?\d+`)

var webLogLine = regexp.MustCompile(`^\S+ \[\S+\] (\S+) (\S+) (\S+) (-?\d+) \d+ - - (....) \S+/(\+?\d+) \d+/\d+ "(.*)"$`)

func newWebLog(lines chan string) *webLog {
	return &webLog{lines: lines, found: map[string][]string{}}
}

// read reads the lines that have arrived.
func (l *webLog) read() {
	for len(l.lines) > 0 {
		if m := webLogLine.FindStringSubmatch(<-l.lines); m != nil {
			m[3] = knownTime.ReplaceAllString(m[3], "${1}n")
			l.found[m[1]] = append(l.found[m[1]], strings.Join(m[2:], " "))
		}
	}
}

// of returns the lines of one case.
func (l *webLog) of(i int) []string {
	l.read()
	return l.found[fmt.Sprintf("c%d", i)]
}

// compareWebLogs compares backend, server, status, termination state, retries and request line,
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
