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
	read  []byte // guarded by mu, as what follows
	heard int    // so much of it was waited for
	end   error  // why reading ended: io.EOF after FIN
	fault error  // of the first step that was in vain
	cut   int    // bytes of a write, 0: all at once
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

// followOver is follow for a wire of which only the buffers count.
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

// serveScripts is a server whose first connection follows the first script, and
// so on; those after the last follow the last one.
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

// over waits until the script is.
func (a *actor) over() *actor {
	a.t.Helper()
	select {
	case <-a.done:
	case <-time.After(2 * patienceOfTests):
		a.t.Fatalf("a script is never over: %s", a.script)
	}
	return a
}

// got waits until the script is over and returns all that was read.
func (a *actor) got() string {
	a.t.Helper()
	return a.over().soFar()
}

// soFar returns what was read by now.
func (a *actor) soFar() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return string(a.read)
}

// how waits until the script is over, and returns why reading ended: nil if the
// end was not read, io.EOF, or an error.
func (a *actor) how() error {
	a.t.Helper()
	a.over()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.end
}

// failed waits until the script is over, and returns what went wrong in it.
func (a *actor) failed() error {
	a.t.Helper()
	a.over()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fault
}

// follow does the steps, until one is in vain.
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
			return err
		}
		b = b[n:]
	}
	return nil
}

// hears looks for a text behind what was heard before.
func (a *actor) hears(text string) bool {
	i := bytes.Index(a.read[a.heard:], []byte(text))
	if i >= 0 {
		a.heard += i + len(text)
	}
	return i >= 0
}

// readUntil reads, at most a few bytes too many, until a condition holds that is
// asked with mu held.
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

// unsent is how many bytes wait for the other side's kernel, and, on a UNIX
// socket, for the other side.
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

// endedNow reports whether the other side has ended the connection in good order
// by now.
func (a *actor) endedNow() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return errors.Is(a.end, io.EOF)
}

// ended waits until the script is over, and reports the same.
func (a *actor) ended() bool {
	a.t.Helper()
	return a.over().endedNow()
}
