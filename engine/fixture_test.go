//go:build !simulation

package engine

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/listen"
	"sluice/engine/plan"
)

// patienceOfTests is the maximum time of each wait for a condition.
const patienceOfTests = 20 * time.Second

// balancer is a running Engine under test. It is stopped at the end of the test. It must then
// leave no session, goroutine or descriptor.
type balancer struct {
	*Engine
	t     *testing.T
	addrs map[string]net.Addr // by frontend
	lines chan string         // lines of the connection log
	said  *observer.ObservedLogs
	ended chan error

	before string // configuration in front of that of the test
}

// start runs a configuration in the format of haproxy.cfg. A frontend without a bind line
// listens on a free port of 127.0.0.1. Log lines of the frontends are sent to lines.
func start(t *testing.T, cfg string) *balancer {
	t.Helper()
	return startWith(t, cfg, nil)
}

func startWith(t *testing.T, cfg string, change func(*Options)) *balancer {
	t.Helper()
	leavesNothing(t)
	return launch(t, cfg, change)
}

// launch is start for parallel tests. Their parent test must call leavesNothing.
func launch(t *testing.T, cfg string, change func(*Options)) *balancer {
	t.Helper()
	b := &balancer{t: t, addrs: map[string]net.Addr{}, lines: make(chan string, 1<<16), ended: make(chan error, 1)}
	core, said := observer.New(zap.InfoLevel)
	logger := zap.New(core)
	b.said = said
	b.before = "global\n  nbthread 2\n" + b.logTarget(t)
	c := parse(t, b.before+cfg)
	log := access.Open("sluice", logger)
	t.Cleanup(log.Close)
	o := Options{Plan: plan.Make(c, nofile(t)), Logger: logger, Access: log}
	var err error
	if o.Site, err = compiled(c); err != nil {
		t.Fatal(err)
	}
	if o.Listeners, err = listen.Open(c, o.Plan.Loops); err != nil {
		t.Fatal(err)
	}
	inspect(t, &o)
	if change != nil {
		change(&o)
	}
	for _, f := range c.Frontends {
		b.addrs[f.Name] = o.Listeners.Addr(f.Name)
	}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.Engine = e
	go func() { b.ended <- e.Run() }()
	t.Cleanup(b.finish)
	return b
}

// parse checks the configuration. It replaces port 1 of each bind line by a free port.
func parse(t *testing.T, cfg string) *conf.Config {
	t.Helper()
	c, problems := conf.ParseString(t.Name()+".cfg", cfg)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	freePorts(c)
	return c
}

func freePorts(c *conf.Config) {
	for _, f := range c.Frontends {
		for i := range f.Binds {
			if to := &f.Binds[i].Address; to.Net == conf.NetTCP && to.Port == 1 {
				to.Port = 0
			}
		}
	}
}

// logTarget opens the socket that receives the connection log.
func (b *balancer) logTarget(t *testing.T) string {
	t.Helper()
	sink, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = sink.(*net.UDPConn).SetReadBuffer(8 << 20)
	done := make(chan struct{})
	go func() {
		defer close(done)
		line := make([]byte, 64<<10)
		for {
			n, _, err := sink.ReadFrom(line)
			if err != nil {
				return
			}
			_, text, _ := strings.Cut(string(line[:n]), "]: ")
			b.lines <- strings.TrimSuffix(text, "\n")
		}
	}()
	t.Cleanup(func() { _ = sink.Close(); <-done })
	return fmt.Sprintf("  log %s local0\ndefaults\n  log global\n  option tcplog\n", sink.LocalAddr())
}

// finish stops the balancer and checks that nothing is left.
func (b *balancer) finish() {
	b.t.Helper()
	if b.ended == nil {
		return
	}
	wait(b.t, "the sessions to end", func() bool { return b.Sessions() == 0 })
	b.Stop()
	b.join()
	if held := b.Held(); held != 0 {
		b.t.Errorf("%d bytes of the buffer budget are still in use", held)
	}
	for _, f := range b.today().Frontends {
		if n := f.Limit.Cur(); n != 0 {
			b.t.Errorf("frontend %s counts %d connections at the end", f.Conf.Name, n)
		}
	}
	for _, bk := range b.today().Backends {
		for _, s := range bk.Servers() {
			if n := s.Stat.Cur(); n != 0 {
				b.t.Errorf("server %s counts %d sessions at the end", s, n)
			}
			if n := s.References(); n != 0 {
				b.t.Errorf("server %s has %d references at the end", s, n)
			}
		}
	}
}

// join waits for Run to return.
func (b *balancer) join() {
	b.t.Helper()
	select {
	case err := <-b.ended:
		if err != nil {
			b.t.Errorf("Run: %v", err)
		}
	case <-time.After(patienceOfTests):
		b.t.Fatal("Run does not return")
	}
	b.ended = nil
}

// watchedTests contains the running tests that have called leavesNothing.
var watchedTests sync.Map

// leavesNothing checks that the test leaves no additional descriptor or goroutine. Only the first
// call of a test has an effect. A later call would count the goroutines of a balancer that is still
// starting.
func leavesNothing(t *testing.T) {
	t.Helper()
	if _, known := watchedTests.LoadOrStore(t, true); known {
		return
	}
	t.Cleanup(func() { watchedTests.Delete(t) })
	runtimePoller(t)
	fds, routines := descriptors(t), runtime.NumGoroutine()
	t.Cleanup(func() {
		wait(t, "descriptors to be closed", func() bool {
			runtime.GC() // io.Copy in the peers keeps pipes until a garbage collection
			return descriptors(t) <= fds
		})
		wait(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= routines })
	})
}

// runtimePoller makes the Go runtime open the descriptors of its own poller.
func runtimePoller(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// wait polls a condition until it holds.
func wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patienceOfTests); !holds(); {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("waited %v for %s\n%s", patienceOfTests, what, stacks[:runtime.Stack(stacks, true)])
		}
		<-time.After(2 * time.Millisecond)
	}
}

func nofile(t *testing.T) uint64 {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return limit.Cur
}

// dial connects to a frontend.
func (b *balancer) dial(frontend string) net.Conn {
	b.t.Helper()
	addr := b.addrs[frontend]
	conn, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		b.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patienceOfTests))
	b.t.Cleanup(func() { conn.Close() })
	return conn
}

// line returns the next line of the connection log.
func (b *balancer) line() string {
	b.t.Helper()
	select {
	case line := <-b.lines:
		return line
	case <-time.After(patienceOfTests):
		b.t.Fatal("no log line")
		return ""
	}
}

// silent fails the test if a connection is logged within span.
func (b *balancer) silent(span time.Duration) {
	b.t.Helper()
	select {
	case line := <-b.lines:
		b.t.Fatalf("log line %q; want none for %v", line, span)
	case <-time.After(span):
	}
}

// logged contains the parts of a line of option tcplog that tests read.
type logged struct {
	frontend, server string // server as backend/server
	tw, tc, tt       int    // ms
	bytes            int
	term             string
	retries          string // with a leading + after a redispatch
	text             string
}

// entry returns the parts of the next log line of a connection. It skips lines about servers.
func (b *balancer) entry() logged {
	b.t.Helper()
	text := b.line()
	for !strings.Contains(text, " [") {
		text = b.line()
	}
	var client, date, times, counts, queue string
	e := logged{text: text}
	_, err := fmt.Sscan(text, &client, &date, &e.frontend, &e.server, &times, &e.bytes, &e.term, &counts, &queue)
	if err == nil {
		_, err = fmt.Sscanf(times, "%d/%d/%d", &e.tw, &e.tc, &e.tt)
	}
	if err != nil {
		b.t.Fatalf("log line %q: %v", text, err)
	}
	e.retries = counts[strings.LastIndexByte(counts, '/')+1:]
	return e
}

// wantTerm checks the next log line's termination state, and returns the line.
func (b *balancer) wantTerm(term string) logged {
	b.t.Helper()
	e := b.entry()
	if e.term != term {
		b.t.Errorf("log line %q; want termination state %s", e.text, term)
	}
	return e
}

// within checks a time from a log line, in ms.
func within(t *testing.T, what string, got, low, high int) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s: %d ms; want %d to %d", what, got, low, high)
	}
}

// promptly is the time within which an immediate action happens even on a busy machine. The
// timeouts and pauses that could cause the same result are longer.
const promptly = 5 * time.Second

// soon is the maximum delay, in ms, of a short timer on a busy machine.
const soon = 1000

// bound sets a deadline, so that waiting for the connection cannot last longer than
// patienceOfTests.
func bound(c net.Conn) { _ = c.SetDeadline(time.Now().Add(patienceOfTests)) }
