//go:build !simulation

package engine

import (
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stage is a balancer with one session that stays in a state, and the peers of its two
// connections.
type stage struct {
	*balancer
	client net.Conn
	server chan net.Conn // connections that the server has accepted
}

// stageServer starts a server that does nothing except accept connections.
func stageServer(t *testing.T, w wire) (at string, conns chan net.Conn) {
	t.Helper()
	conns = make(chan net.Conn, 10)
	return serveConns(t, w, func(c net.Conn) { conns <- c; <-t.Context().Done() }).String(), conns
}

const stageInspects = `
  timeout connect 10s
  timeout client 10s
  timeout server 10s
  retries 3
frontend f
  bind %s
  tcp-request inspect-delay 10s
  tcp-request content reject if { hdr(host) no.test }
  default_backend b
backend b
  server s %s
`

// inStage brings a session into a state in which it stays. Its server uses a UNIX socket if its
// frontend does. In mode http the session has done one exchange and keeps its server's
// connection.
func inStage(t *testing.T, s state, bind string) *stage {
	t.Helper()
	x := &stage{}
	behind := overTCP
	if bind != bindTCP {
		behind = overUnix
	}
	at, conns := stageServer(t, behind)
	x.server = conns
	switch s {
	case inspecting:
		x.balancer = start(t, fmt.Sprintf(stageInspects, bind, at))
	case dialing:
		at = blackhole(t)
		x.balancer = start(t, stagePlain(bind, at))
	case pausing:
		at = deadPort(t)
		x.balancer = start(t, stagePlain(bind, at))
	case relaying, leaving:
		x.balancer = start(t, stagePlain(bind, at))
	case asking, exchanging:
		x.balancer = start(t, webDefaults+"frontend f\n  bind "+bind+"\n  default_backend b\nbackend b\n  server s "+at+"\n")
	}
	w := overTCP
	if s == leaving {
		w = narrowTCP
	}
	x.client = dialOver(t, w, x.addrs["f"])
	t.Cleanup(func() { x.client.Close() })
	bound(x.client)
	switch s {
	case leaving:
		x.fill(t)
	case asking:
		x.exchangeOne(t)
	case exchanging:
		x.exchangeOne(t)
		_, _ = io.WriteString(x.client, head("a"))
	}
	x.reaches(s)
	return x
}

func stagePlain(bind, server string) string {
	return strings.Replace(fmt.Sprintf(stageInspects, bind, server), "tcp-request", "# tcp-request", 2)
}

// exchangeOne makes the client send a request and get its answer.
func (x *stage) exchangeOne(t *testing.T) {
	t.Helper()
	_, _ = io.WriteString(x.client, head("a"))
	c := x.given()
	readHead(c)
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	readHead(x.client)
}

// fill makes the server send bytes and reset. Our kernel accepts all of them, the client's
// kernel only a part. The session therefore stays in the leaving state until the client has
// read them.
func (x *stage) fill(t *testing.T) {
	t.Helper()
	_, _ = io.WriteString(x.given(), strings.Repeat("x", 64<<10))
	resetSent(t, x.given().(*net.TCPConn))
}

// on waits for a session in a state, and runs do on its loop.
func (x *stage) on(s state, do func(*visit)) {
	x.t.Helper()
	wait(x.t, "a session to be "+stateNames[s], func() bool {
		found := make(chan bool, 4)
		x.tell(func(l *loop) error {
			hit := false
			l.sessions.each(func(id int32) {
				if v := l.visit(id); v.s.state == s && !hit {
					hit = true
					do(v)
				}
			})
			found <- hit
			return nil
		})
		hit := false
		for range x.plan.Loops {
			hit = <-found || hit
		}
		return hit
	})
}

func (x *stage) reaches(s state) { x.t.Helper(); x.on(s, func(*visit) {}) }

// urge sends a byte of urgent data.
func urge(t *testing.T, c net.Conn) {
	t.Helper()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) { err = unix.Send(int(fd), []byte{'!'}, unix.MSG_OOB) })
	if err != nil {
		t.Error(err)
	}
}

// turnFor calls yield for one side of a session in a state, as if the session had called it
// before it entered this state.
func (x *stage) turnFor(s state, which side) {
	x.on(s, func(v *visit) { v.yield(which) })
}

// roomFor registers a socket for writing, as if it had been full before. The kernel then
// reports that it is writable.
func (x *stage) roomFor(s state, which side) {
	x.on(s, func(v *visit) {
		one := &v.s.sock[which]
		one.set(writableWanted)
		v.reactor.Rewatch(int(one.fd), v.s.token(v.id, which), one.interest())
	})
}

// given returns the server's end of the connection.
func (x *stage) given() net.Conn {
	c := <-x.server
	x.server <- c
	return c
}

// Actions of the peers.
func clientSpeaks(_ *testing.T, x *stage) { _, _ = io.WriteString(x.client, "x") }
func clientFinishes(t *testing.T, x *stage) {
	t.Helper()
	closeWrite(t, x.client)
}

func clientCloses(_ *testing.T, x *stage) { x.client.Close() }
func clientResets(_ *testing.T, x *stage) { reset(x.client) }
func clientUrges(t *testing.T, x *stage) {
	t.Helper()
	urge(t, x.client)
}

func serverSpeaks(_ *testing.T, x *stage) { _, _ = io.WriteString(x.given(), "x") }
func serverFinishes(t *testing.T, x *stage) {
	t.Helper()
	closeWrite(t, x.given())
}

func serverCloses(_ *testing.T, x *stage) { x.given().Close() }
func serverReadsAndCloses(_ *testing.T, x *stage) {
	readHead(x.given())
	x.given().Close()
}
func serverResets(_ *testing.T, x *stage) { reset(x.given()) }
func serverUrges(t *testing.T, x *stage) {
	t.Helper()
	urge(t, x.given())
}

func drains(_ *testing.T, x *stage) { x.Drain() }
func stops(_ *testing.T, x *stage)  { x.Stop() }

const (
	bindTCP  = "127.0.0.1:1"
	bindUnix = "UNIX"
)

// TestSessionsMeetEvents produces rare events in each state. Most of them change nothing in
// these states, and none may break anything.
func TestSessionsMeetEvents(t *testing.T) {
	for _, c := range []struct {
		state state
		what  int
		side  side
		bind  string
		do    func(t *testing.T, x *stage)
	}{
		{inspecting, meetErr, client, bindTCP, clientResets},
		{inspecting, meetHup, client, bindUnix, clientCloses},
		{inspecting, meetPri, client, bindTCP, clientUrges},
		{inspecting, meetDrain, client, bindTCP, drains},
		{inspecting, meetStop, client, bindTCP, stops},
		{dialing, meetIn, client, bindTCP, clientSpeaks},
		{dialing, meetLast, client, bindTCP, clientFinishes},
		{dialing, meetErr, client, bindTCP, clientResets},
		{dialing, meetHup, client, bindUnix, clientCloses},
		{dialing, meetPri, client, bindTCP, clientUrges},
		{dialing, meetTurn, client, bindTCP, func(_ *testing.T, x *stage) { x.turnFor(dialing, client) }},
		{dialing, meetOut, client, bindTCP, func(_ *testing.T, x *stage) { x.roomFor(dialing, client) }},
		{dialing, meetDrain, client, bindTCP, drains},
		{dialing, meetStop, client, bindTCP, stops},
		{pausing, meetIn, client, bindTCP, clientSpeaks},
		{pausing, meetLast, client, bindTCP, clientFinishes},
		{pausing, meetErr, client, bindTCP, clientResets},
		{pausing, meetHup, client, bindUnix, clientCloses},
		{pausing, meetPri, client, bindTCP, clientUrges},
		{pausing, meetTurn, client, bindTCP, func(_ *testing.T, x *stage) { x.turnFor(pausing, client) }},
		{pausing, meetOut, client, bindTCP, func(_ *testing.T, x *stage) { x.roomFor(pausing, client) }},
		{pausing, meetDrain, client, bindTCP, drains},
		{pausing, meetStop, client, bindTCP, stops},
		{relaying, meetPri, client, bindTCP, clientUrges},
		{relaying, meetPri, server, bindTCP, serverUrges},
		{asking, meetPri, client, bindTCP, clientUrges},
		{asking, meetHup, client, bindUnix, clientCloses},
		{asking, meetDrain, client, bindTCP, drains},
		{asking, meetStop, client, bindTCP, stops},
		{asking, meetIn, server, bindTCP, serverSpeaks},
		{asking, meetLast, server, bindTCP, serverFinishes},
		{asking, meetHup, server, bindUnix, serverCloses},
		{asking, meetErr, server, bindTCP, serverResets},
		{asking, meetPri, server, bindTCP, serverUrges},
		{asking, meetOut, server, bindTCP, func(_ *testing.T, x *stage) { x.roomFor(asking, server) }},
		{asking, meetTurn, server, bindTCP, func(_ *testing.T, x *stage) { x.turnFor(asking, server) }},
		{exchanging, meetHup, client, bindUnix, clientCloses},
		{exchanging, meetHup, server, bindUnix, serverReadsAndCloses},
		{exchanging, meetPri, client, bindTCP, clientUrges},
		{exchanging, meetPri, server, bindTCP, serverUrges},
		{exchanging, meetDrain, client, bindTCP, drains},
		{exchanging, meetStop, client, bindTCP, stops},
		{leaving, meetIn, client, bindTCP, clientSpeaks},
		{leaving, meetLast, client, bindTCP, clientFinishes},
		{leaving, meetErr, client, bindTCP, clientResets},
		{leaving, meetPri, client, bindTCP, clientUrges},
		{leaving, meetTurn, client, bindTCP, func(_ *testing.T, x *stage) { x.turnFor(leaving, client) }},
		{leaving, meetTimeout, client, bindTCP, func(*testing.T, *stage) {}},
		{leaving, meetDrain, client, bindTCP, drains},
		{leaving, meetStop, client, bindTCP, stops},
	} {
		t.Run(stateNames[c.state]+" "+meetNames[c.what]+" "+sideNames[c.side], func(t *testing.T) {
			if c.bind == bindUnix {
				c.bind = "unix@" + shortDir(t) + "/f"
			}
			x := inStage(t, c.state, c.bind)
			x.meet(t, c.state, c.what, c.side, c.do)
		})
	}
}

// meet runs do and waits until the session has handled the event that do causes.
func (x *stage) meet(t *testing.T, s state, what int, which side, do func(*testing.T, *stage)) {
	t.Helper()
	before := visited[s][what][which].Load()
	do(t, x)
	wait(t, "the event", func() bool { return visited[s][what][which].Load() > before })
	x.Stop()
	x.client.Close()
	for len(x.server) > 0 {
		(<-x.server).Close()
	}
}

// TestLeavingMeetsTheServer: a client has sent more bytes than its server reads, and has reset.
// While the session waits for the server, no event of the server changes anything.
func TestLeavingMeetsTheServer(t *testing.T) {
	for what, do := range map[int]func(*testing.T, *stage){
		meetIn: serverSpeaks, meetLast: serverFinishes, meetErr: serverResets, meetPri: serverUrges,
		meetTurn: func(_ *testing.T, x *stage) { x.turnFor(leaving, server) },
		meetOut:  func(_ *testing.T, x *stage) { _, _ = io.Copy(io.Discard, x.given()) },
	} {
		t.Run(meetNames[what], func(t *testing.T) {
			x := inStage(t, relaying, bindTCP)
			_ = x.client.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
			_ = push(x.client)
			reset(x.client)
			x.reaches(leaving)
			x.meet(t, leaving, what, server, do)
		})
	}
}

// TestDialingMeetsTheServer: the server acts before the session knows that it is connected.
func TestDialingMeetsTheServer(t *testing.T) {
	for what, do := range map[int]func(*testing.T, *stage){meetIn: serverSpeaks, meetLast: serverFinishes, meetErr: serverResets, meetPri: serverUrges} {
		t.Run(meetNames[what], func(t *testing.T) {
			at, conns := stageServer(t, overTCP)
			x := &stage{balancer: start(t, stagePlain(bindTCP, at)), server: conns}
			arrives := map[int]int16{meetIn: unix.POLLIN, meetLast: unix.POLLRDHUP, meetErr: unix.POLLERR, meetPri: unix.POLLPRI}[what]
			met := x.probe.(*inspector).holdIn(dialing, func(fd int) {
				do(t, x)
				_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: arrives}}, int(patienceOfTests.Milliseconds()))
			})
			x.meet(t, dialing, what, server, func(_ *testing.T, x *stage) { x.client = x.dial("f"); <-met })
		})
	}
}
