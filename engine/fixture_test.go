package engine

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/access"
)

// patienceOfTests bounds every wait for a condition.
const patienceOfTests = 20 * time.Second

// balancer is a running Engine under test. When the test ends it is stopped,
// and must leave no session, goroutine or descriptor behind.
type balancer struct {
	*Engine
	t     *testing.T
	addrs map[string]net.Addr // by frontend
	lines chan string         // of the connection log
	said  *observer.ObservedLogs
	ended chan error
}

// start runs the configuration, in haproxy.cfg's words. A frontend without a
// bind line listens on a free port of 127.0.0.1; tcplog lines come to lines.
func start(t *testing.T, cfg string) *balancer {
	t.Helper()
	return startWith(t, cfg, nil)
}

func startWith(t *testing.T, cfg string, change func(*Options)) *balancer {
	t.Helper()
	leavesNothing(t)
	b := &balancer{t: t, addrs: map[string]net.Addr{}, lines: make(chan string, 1<<16), ended: make(chan error, 1)}
	logger := zap.NewNop()
	core, said := observer.New(zap.InfoLevel)
	logger, b.said = zap.New(core), said
	c := parse(t, "global\n  nbthread 2\n"+b.logTarget(t)+cfg)
	log := access.Open("sluice", logger)
	t.Cleanup(log.Close)
	o := Options{Config: c, Plan: MakePlan(c, nofile(t)), Logger: logger, Access: log}
	var err error
	if o.Listeners, err = Listen(c, o.Plan.Loops); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&o)
	}
	for _, f := range c.Frontends {
		b.addrs[f.Name] = o.Listeners.Addr(f.Name)
	}
	e, problems, err := New(o)
	if err != nil {
		t.Fatal(err, problems)
	}
	b.Engine = e
	go func() { b.ended <- e.Run() }()
	t.Cleanup(b.finish)
	return b
}

// parse adds a bind line where there is none, and the log that tests read.
func parse(t *testing.T, cfg string) *conf.Config {
	t.Helper()
	c, problems := conf.ParseString(t.Name()+".cfg", cfg)
	for _, p := range problems {
		if p.Severity == conf.Error && !strings.Contains(p.Text, "bind") {
			t.Fatal(p)
		}
	}
	if c == nil {
		t.Fatal(problems)
	}
	for _, f := range c.Frontends {
		for i, b := range f.Binds {
			if b.Address.IP.IsValid() && b.Address.Port == 1 {
				f.Binds[i].Address.Port = 0
			}
		}
	}
	return c
}

// logTarget opens the connection log's destination.
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
	t.Cleanup(func() { sink.Close(); <-done })
	return fmt.Sprintf("  log %s local0\ndefaults\n  log global\n  option tcplog\n", sink.LocalAddr())
}

// finish stops the balancer and looks for what it left.
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
	for _, f := range b.site.frontends {
		if n := f.limit.Cur(); n != 0 {
			b.t.Errorf("frontend %s counts %d connections at the end", f.conf.Name, n)
		}
	}
	for _, bk := range b.site.backends {
		for _, s := range bk.Servers {
			if n := s.Stat.Cur(); n != 0 {
				b.t.Errorf("server %s counts %d sessions at the end", s, n)
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

// leavesNothing compares descriptors and goroutines before and after the test.
func leavesNothing(t *testing.T) {
	t.Helper()
	deadPort(t) // has the Go runtime open its own poller
	fds, routines := descriptors(t), runtime.NumGoroutine()
	t.Cleanup(func() {
		wait(t, "descriptors to be closed", func() bool {
			runtime.GC() // io.Copy of the peers keeps pipes until then
			return descriptors(t) <= fds
		})
		wait(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= routines })
	})
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

// wantTerm checks the next log line's termination state, and returns the line.
func (b *balancer) wantTerm(term string) string {
	b.t.Helper()
	line := b.line()
	if !strings.Contains(line, " "+term+" ") {
		b.t.Errorf("log line %q; want termination state %s", line, term)
	}
	return line
}

// peer is a server: it hands each connection to serve, on a goroutine.
type peer struct {
	net.Listener
	t *testing.T
}

func listen(t *testing.T, serve func(*net.TCPConn)) *peer {
	t.Helper()
	return listenOn(t, "127.0.0.1:0", serve)
}

func listenOn(t *testing.T, addr string, serve func(*net.TCPConn)) *peer {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{Listener: ln, t: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.run(serve)
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return p
}

func (p *peer) run(serve func(*net.TCPConn)) {
	for {
		conn, err := p.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(patienceOfTests))
			serve(conn.(*net.TCPConn))
		}()
	}
}

func (p *peer) String() string { return p.Addr().String() }

func (p *peer) port() uint16 { return netip.MustParseAddrPort(p.String()).Port() }

// echo sends back what comes, until the end.
func echo(c *net.TCPConn) {
	_, _ = io.Copy(c, c)
	_ = c.CloseWrite()
}

// says sends a text and closes.
func says(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) { _, _ = io.WriteString(c, text) }
}

// answers reads one request head, sends a text and closes.
func answers(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		readHead(c)
		_, _ = io.WriteString(c, text)
	}
}

func readHead(c net.Conn) string {
	var head []byte
	one := make([]byte, 1)
	for !strings.HasSuffix(string(head), "\r\n\r\n") {
		if _, err := c.Read(one); err != nil {
			return string(head)
		}
		head = append(head, one[0])
	}
	return string(head)
}

// deadPort returns a port of 127.0.0.1 on which nobody listens.
func deadPort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// reset closes with RST.
func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

func isReset(err error) bool { return errors.Is(err, unix.ECONNRESET) }

// ask sends a text, ends the sending side and returns all that comes back.
func ask(t *testing.T, c net.Conn, text string) string {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	_ = c.(interface{ CloseWrite() error }).CloseWrite()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("after %q: %v", got, err)
	}
	return string(got)
}

func head(host string) string {
	return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
}

func itoa(n int) string { return strconv.Itoa(n) }
