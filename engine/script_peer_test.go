//go:build !simulation

package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// actor is one end of a connection that follows a script.
type actor struct {
	t      *testing.T
	conn   net.Conn
	script script
	done   chan struct{} // closed when the script is over and the connection closed

	mu    sync.Mutex
	read  []byte // all bytes read; guarded by mu, like the next fields
	heard int    // number of bytes that hear has matched
	end   error  // reason why reading ended: io.EOF after FIN
	reset bool   // a write has failed with ECONNRESET, so that a read returns io.EOF without a FIN
	fault error  // of the first step that failed
	cut   int    // maximum bytes of a write; 0: no maximum
}

func newActor(t *testing.T, conn net.Conn, s script) *actor {
	t.Helper()
	a := &actor{t: t, conn: conn, script: s, done: make(chan struct{})}
	stop := context.AfterFunc(t.Context(), func() { conn.Close() })
	go func() {
		defer stop()
		a.run()
	}()
	return a
}

func (a *actor) run() {
	defer close(a.done)
	defer a.conn.Close()
	bound(a.conn)
	a.follow(a.script)
}

// follow connects to a frontend and follows a script.
func (b *balancer) follow(frontend string, steps ...step) *actor {
	b.t.Helper()
	return b.followOver(wire{}, frontend, steps...)
}

// followOver is follow with the buffer sizes of a wire.
func (b *balancer) followOver(w wire, frontend string, steps ...step) *actor {
	b.t.Helper()
	return dialScript(b.t, w, b.addrs[frontend], steps)
}

func dialScript(t *testing.T, w wire, to net.Addr, s script) *actor {
	t.Helper()
	return newActor(t, dialOver(t, w, to), s)
}

// scriptServer follows a script on each connection.
type scriptServer struct {
	*wireServer
	t       *testing.T
	scripts []script

	mu     sync.Mutex
	actors []*actor // guarded by mu
}

// serveScripts starts a server. Its first connection follows the first script, and so on.
// Connections after the last script follow the last script.
func serveScripts(t *testing.T, w wire, scripts ...script) *scriptServer {
	t.Helper()
	s := &scriptServer{t: t, scripts: scripts}
	s.wireServer = serveConns(t, w, func(conn net.Conn) {
		s.mu.Lock()
		a := &actor{t: t, conn: conn, script: scripts[min(len(s.actors), len(scripts)-1)], done: make(chan struct{})}
		s.actors = append(s.actors, a)
		s.mu.Unlock()
		a.run()
	})
	return s
}

// all returns the connections so far.
func (s *scriptServer) all() []*actor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clip(s.actors)
}

// conn waits for the connection of that number, from 0.
func (s *scriptServer) conn(n int) *actor {
	s.t.Helper()
	wait(s.t, fmt.Sprintf("connection %d to the server", n), func() bool { return len(s.all()) > n })
	return s.all()[n]
}

// over waits until the script has ended.
func (a *actor) over() *actor {
	a.t.Helper()
	select {
	case <-a.done:
	case <-time.After(2 * patienceOfTests):
		a.t.Fatalf("a script is never over: %s", a.script)
	}
	return a
}

// got waits until the script has ended and returns all bytes read.
func (a *actor) got() string {
	a.t.Helper()
	return a.over().soFar()
}

// soFar returns the bytes read so far.
func (a *actor) soFar() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return string(a.read)
}

// how waits until the script has ended and returns why reading ended: nil if the end was not
// read, io.EOF, or an error.
func (a *actor) how() error {
	a.t.Helper()
	a.over()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.end
}

// failed waits until the script has ended and returns the error of its failed step.
func (a *actor) failed() error {
	a.t.Helper()
	a.over()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fault
}

// follow executes the steps until one fails.
func (a *actor) follow(s script) {
	var beside sync.WaitGroup
	defer beside.Wait()
	for i, one := range s {
		if one.verb == "meanwhile" {
			beside.Go(func() { a.follow(one.beside) })
			continue
		}
		if err := a.do(one); err != nil {
			a.mu.Lock()
			if a.fault == nil {
				a.fault = fmt.Errorf("step %d, %s: %w", i+1, one, err)
			}
			a.mu.Unlock()
			return
		}
	}
}

func (a *actor) do(s step) error {
	switch s.verb {
	case "say":
		return a.say(s.text)
	case "pieces":
		a.cut = s.n
	case "hear":
		return a.readUntil(func() bool { return a.hears(s.text) })
	case "take":
		return a.take(s.n)
	case "takeAll":
		_ = a.readUntil(func() bool { return false })
	case "rest":
		return a.await(time.After(s.span))
	case "until":
		return a.poll(s.holds)
	case "delivered":
		return a.poll(func() bool { return a.unsent() == 0 })
	case "urgent":
		return a.urgent()
	case "fin":
		return a.conn.(interface{ CloseWrite() error }).CloseWrite()
	case "shut":
		return a.conn.Close()
	case "rst":
		if c, ok := a.conn.(*net.TCPConn); ok {
			_ = c.SetLinger(0)
		}
		return a.conn.Close()
	}
	return nil
}

func (a *actor) say(text string) error {
	for b := []byte(text); len(b) > 0; {
		n := len(b)
		if a.cut > 0 {
			n = min(n, a.cut)
		}
		if _, err := a.conn.Write(b[:n]); err != nil {
			a.mu.Lock()
			a.reset = a.reset || errors.Is(err, syscall.ECONNRESET)
			a.mu.Unlock()
			return err
		}
		b = b[n:]
	}
	return nil
}

// hears looks for a text after the text that was matched before.
func (a *actor) hears(text string) bool {
	i := bytes.Index(a.read[a.heard:], []byte(text))
	if i >= 0 {
		a.heard += i + len(text)
	}
	return i >= 0
}

// readUntil reads until a condition is true, possibly a few bytes more. It checks the condition
// with mu held.
func (a *actor) readUntil(holds func() bool) error {
	for b := make([]byte, 4<<10); ; {
		a.mu.Lock()
		enough := holds()
		a.mu.Unlock()
		if enough {
			return nil
		}
		if err := a.readInto(b); err != nil {
			return err
		}
	}
}

func (a *actor) take(n int) error {
	for b := make([]byte, 64<<10); n > 0; {
		before := len(a.soFar())
		if err := a.readInto(b[:min(n, len(b))]); err != nil {
			return err
		}
		n -= len(a.soFar()) - before
	}
	return nil
}

func (a *actor) readInto(b []byte) error {
	n, err := a.conn.Read(b)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.read = append(a.read, b[:n]...)
	if err != nil && a.end == nil {
		a.end = err
	}
	return err
}

var errTestOver = errors.New("the test is over")

func (a *actor) await(c <-chan time.Time) error {
	select {
	case <-c:
		return nil
	case <-a.t.Context().Done():
		return errTestOver
	}
}

func (a *actor) poll(holds func() bool) error {
	for end := time.Now().Add(patienceOfTests); !holds(); {
		if time.Now().After(end) {
			return os.ErrDeadlineExceeded
		}
		if err := a.await(time.After(time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}

// unsent returns the number of bytes that the other side's kernel has not got. On a UNIX
// socket, it is the number that the other side has not read.
func (a *actor) unsent() (left int) {
	a.control(func(fd int) { left, _ = unix.IoctlGetInt(fd, unix.SIOCOUTQ) })
	return left
}

func (a *actor) urgent() (err error) {
	a.control(func(fd int) { err = unix.Send(fd, []byte{'!'}, unix.MSG_OOB) })
	return err
}

func (a *actor) control(do func(fd int)) {
	raw, err := a.conn.(syscall.Conn).SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { do(int(fd)) })
	}
}

// endedNow reports whether the other side has sent FIN.
func (a *actor) endedNow() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return errors.Is(a.end, io.EOF) && !a.reset
}

// ended waits until the script has ended and reports whether the other side has sent FIN.
func (a *actor) ended() bool {
	a.t.Helper()
	return a.over().endedNow()
}
