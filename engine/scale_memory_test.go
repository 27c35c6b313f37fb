//go:build !simulation

package engine

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	scaleFDs = 20000
	fewFirst = 100 // connections before the first measurement
)

// scale is a number of connections, and the memory that they may use.
type scale struct {
	held    int
	most    float64 // resident bytes for each connection
	options string
	route   string
	opening string // text that each client sends, quoted
	answer  string // answer of the server to each question mark in it, quoted
}

// TestFault11IdleFlood: with 20,000 file descriptors, one process holds 9,000 connections at
// the same time. Other connections are served meanwhile, and each of the 9,000 still works.
func TestFault11IdleFlood(t *testing.T) {
	scale{fewer(9000), 512, "option tcplog", "default_backend b", `"?"`, `"!"`}.check(t)
}

// TestHoldsRoutedConnections: the memory of inspected bytes is freed after the decision.
func TestHoldsRoutedConnections(t *testing.T) {
	scale{fewer(4000), 512, "option tcplog", "use_backend b if { hdr(host) site.test }",
		`"GET / HTTP/1.1\r\nHost: site.test\r\nX-Ask: ?\r\n\r\n"`, `"!"`}.check(t)
}

// TestHoldsWebConnections: between two requests, the memory that mode http uses for a request
// is freed.
func TestHoldsWebConnections(t *testing.T) {
	scale{fewer(9000), 2048, "mode http\n  option httplog\n  option forwardfor", "use_backend b if { hdr(host) site.test }",
		`"GET /? HTTP/1.1\r\nHost: site.test\r\n\r\n"`, `"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!"`}.check(t)
}

func fewer(connections int) int {
	if racing {
		return 500
	}
	return connections
}

// check opens the connections through a balancer in a separate process. It measures that
// process's memory and uses each connection again.
func (x scale) check(t *testing.T) {
	t.Helper()
	log := &balancer{t: t, lines: make(chan string, 1<<16)}
	file := filepath.Join(t.TempDir(), "scale.cfg")
	_, origin := cast(t, "servers", x.answer)
	if err := os.WriteFile(file, x.config(log.logTarget(t), origin), 0o600); err != nil {
		t.Fatal(err)
	}
	b, addr := cast(t, "balancer", file, strconv.Itoa(scaleFDs))
	clients, _ := cast(t, "clients")
	pid := b.cmd.Process.Pid
	fresh := openFDs(t, pid)

	clients.tell("open %s %d %s", addr, fewFirst, x.opening)
	clients.tell("close")
	for range fewFirst {
		log.line()
	}
	wait(t, "the first clients to be gone", func() bool { return openFDs(t, pid) <= fresh })
	before := readMemory(t, pid)

	clients.tell("open %s %d %s", addr, x.held, x.opening)
	if n := openFDs(t, pid); n < fresh+2*x.held {
		t.Errorf("%d descriptors are open, %d were before; want two more for each of %d connections", n, fresh, x.held)
	}
	after := readMemory(t, pid)
	each := (after.rss - before.rss) / float64(x.held)
	t.Logf("%d connections held; bytes for each: Rss %.0f, Pss %.0f, Anonymous %.0f", x.held, each,
		(after.pss-before.pss)/float64(x.held), (after.anonymous-before.anonymous)/float64(x.held))
	if each > x.most && !racing {
		t.Errorf("%.0f resident bytes per connection; want at most %.0f", each, x.most)
	}
	x.churn(t, addr)
	clients.tell("ask")
	clients.tell("close")
	wait(t, "all descriptors to be closed", func() bool { return openFDs(t, pid) <= fresh })
}

// churn opens and closes other connections while the first ones stay open.
func (x scale) churn(t *testing.T, addr string) {
	t.Helper()
	opening, err := strconv.Unquote(x.opening)
	if err != nil {
		t.Fatal(err)
	}
	for range 300 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patienceOfTests))
		_, _ = io.WriteString(c, opening)
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatalf("a client beside %d others: %v", x.held, err)
		}
		_ = c.Close()
	}
}

func (x scale) config(log, origin string) []byte {
	return fmt.Appendf(nil, `global
  nbthread 2
  maxconn 9400
%s
  %s
  timeout connect 10s
  timeout client 1m
  timeout server 1m
frontend f
  bind 127.0.0.1:1
  %s
backend b
  server s %s
`, log, x.options, x.route, origin)
}

func openFDs(t *testing.T, pid int) int {
	t.Helper()
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// memory is the resident memory of a process, in bytes.
type memory struct{ rss, pss, anonymous float64 }

func readMemory(t *testing.T, pid int) memory {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		t.Fatal(err)
	}
	var m memory
	wanted := map[string]*float64{"Rss:": &m.rss, "Pss:": &m.pss, "Anonymous:": &m.anonymous}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if into := wanted[words[0]]; into != nil {
			kB, err := strconv.ParseFloat(words[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			*into = kB * 1024
		}
	}
	return m
}
