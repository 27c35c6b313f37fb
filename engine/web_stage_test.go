//go:build !simulation

package engine

import (
	"fmt"
	"io"
	"iter"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// webPatience is the maximum wait of a script for bytes that must come. hopeless is the wait for bytes
// that probably do not come, in a case with a known difference from HAProxy.
const (
	webPatience = 5 * time.Second
	hopeless    = 200 * time.Millisecond
)

// webServers are two servers that follow the script of a case.
type webServers struct {
	listeners [2]net.Listener
	mu        sync.Mutex
	conns     []*webConn // guarded by mu
}

// webConn is one end of a connection, and all bytes read from it.
type webConn struct {
	net.Conn
	name  string
	mu    sync.Mutex
	read  string // guarded by mu, like the next fields
	used  int    // number of bytes that the script has matched
	ended bool
}

func newWebServers(t *testing.T) *webServers {
	t.Helper()
	s := &webServers{}
	for i := range s.listeners {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s.listeners[i] = ln
		t.Cleanup(func() { ln.Close() })
		go s.accept(ln, "ab"[i:i+1])
	}
	return s
}

func (s *webServers) each() iter.Seq2[string, string] {
	return func(yield func(name, at string) bool) {
		_ = yield("a", s.listeners[0].Addr().String()) && yield("b", s.listeners[1].Addr().String())
	}
}

func (s *webServers) accept(ln net.Listener, name string) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		conn := &webConn{Conn: c, name: name}
		s.mu.Lock()
		s.conns = append(s.conns, conn)
		s.mu.Unlock()
		go conn.listen()
	}
}

// leave closes the connections and returns them.
func (s *webServers) leave() []*webConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.conns
	for _, c := range all {
		c.Close()
	}
	s.conns = nil
	return all
}

func (c *webConn) listen() {
	b := make([]byte, 64<<10)
	for {
		n, err := c.Read(b)
		c.mu.Lock()
		c.read += string(b[:n])
		c.ended = err != nil
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *webConn) all() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read
}

// over reports whether the other side has ended the connection.
func (c *webConn) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// heard reports whether a text has come, after the text that was matched before.
func (c *webConn) heard(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := strings.Index(c.read[c.used:], text)
	if i >= 0 {
		c.used += i + len(text)
	}
	return i >= 0
}

// webPlay is one run of a case.
type webPlay struct {
	*webCase
	servers  *webServers
	patience time.Duration
	given    chan struct{} // closed when nobody waits for the servers any more
}

// wait waits for a condition. It returns false if its time is over first.
func (p *webPlay) wait(holds func() bool) bool {
	for end := time.Now().Add(p.patience); time.Now().Before(end); {
		if holds() {
			return true
		}
		select {
		case <-p.given:
			return holds()
		case <-time.After(time.Millisecond):
		}
	}
	return false
}

// taking returns the connection on which a server has got a text.
func (p *webPlay) taking(text string) *webConn {
	var found *webConn
	p.wait(func() bool {
		p.servers.mu.Lock()
		defer p.servers.mu.Unlock()
		i := slices.IndexFunc(p.servers.conns, func(c *webConn) bool { return c.heard(text) })
		if i >= 0 {
			found = p.servers.conns[i]
		}
		return i >= 0
	})
	return found
}

// serve plays the servers and returns their first error.
func (p *webPlay) serve() string {
	var at *webConn
	for i, step := range p.webCase.servers {
		ok := true
		switch step.do {
		case "take":
			at = p.taking(step.text)
			ok = at != nil
		case "answer":
			if i == 0 || p.webCase.servers[i-1].do != "take" {
				at = p.taking("\r\n\r\n")
			}
			if ok = at != nil; ok {
				_, _ = io.WriteString(at, step.text)
			}
		case "more":
			_, _ = io.WriteString(at, step.text)
		case "close":
			at.Close()
		case "gone":
			ok = p.wait(at.over)
		}
		if !ok {
			return fmt.Sprintf("servers, step %d: in vain: %s %q\n", i+1, step.do, step.text)
		}
	}
	return ""
}

// ask plays the client. It returns the bytes that the client got, and its first error.
func (p *webPlay) ask(conn net.Conn) (got, problem string) {
	c := &webConn{Conn: conn}
	go c.listen()
	defer c.Close()
	for i, step := range p.client {
		ok := true
		switch step.do {
		case "send":
			_, _ = io.WriteString(c, step.text)
		case "half":
			_ = conn.(*net.TCPConn).CloseWrite()
		case "hear":
			ok = p.wait(func() bool { return c.heard(step.text) || c.over() })
		case "end":
			ok = p.wait(c.over)
		}
		if !ok {
			problem = fmt.Sprintf("client, step %d: in vain: %s %q\n", i+1, step.do, step.text)
			break
		}
	}
	return c.all(), problem
}

// webOutcome is the bytes that each side of a case got, and the errors.
type webOutcome struct {
	client  string
	servers []*webConn
	problem string
}

// first returns the bytes of the first connection to a server.
func (o webOutcome) first() string {
	if len(o.servers) == 0 {
		return ""
	}
	return o.servers[0].all()
}

// plain returns the whole outcome as a text for comparison.
func (o webOutcome) plain() string {
	text := "-- client got\n" + webPlain(o.client) + "\n"
	for _, c := range o.servers {
		text += "-- server " + c.name + " got\n" + webPlain(c.all()) + "\n"
	}
	return text + o.problem
}

// play runs a case through the balancer at addr. For a case with a known difference from
// HAProxy, it does not wait for the servers.
func (c *webCase) play(t *testing.T, addr net.Addr, servers *webServers, patience time.Duration) webOutcome {
	t.Helper()
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	p := &webPlay{webCase: c, servers: servers, patience: patience, given: make(chan struct{})}
	problems := make(chan string)
	go func() { problems <- p.serve() }()
	got, problem := p.ask(conn)
	if c.differs != "" || problem != "" {
		close(p.given)
	}
	theirs := <-problems
	if c.differs == "" {
		problem += theirs
	}
	return webOutcome{got, servers.leave(), problem}
}
