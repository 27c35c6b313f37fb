//go:build !simulation

package engine

import (
	"fmt"
	"io"
	"net"
	"sluice/engine/session"
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
func inStage(t *testing.T, s session.State, bind string) *stage {
	t.Helper()
	x := &stage{}
	behind := overTCP
	if bind != bindTCP {
		behind = overUnix
	}
	at, conns := stageServer(t, behind)
	x.server = conns
	switch s {
	case session.Inspecting:
		x.balancer = start(t, fmt.Sprintf(stageInspects, bind, at))
	case session.Dialing:
		at = blackhole(t)
		x.balancer = start(t, stagePlain(bind, at))
	case session.Pausing:
		at = deadPort(t)
		x.balancer = start(t, stagePlain(bind, at))
	case session.Relaying, session.Leaving:
		x.balancer = start(t, stagePlain(bind, at))
	case session.Asking, session.Exchanging:
		x.balancer = start(t, webDefaults+"frontend f\n  bind "+bind+"\n  default_backend b\nbackend b\n  server s "+at+"\n")
	}
	w := overTCP
	if s == session.Leaving {
		w = narrowTCP
	}
	x.client = dialOver(t, w, x.addrs["f"])
	t.Cleanup(func() { x.client.Close() })
	bound(x.client)
	switch s {
	case session.Leaving:
		x.fill(t)
	case session.Asking:
		x.exchangeOne(t)
	case session.Exchanging:
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
func (x *stage) on(s session.State, do func(*session.Visit)) {
	x.t.Helper()
	wait(x.t, "a session to be "+stateNames[s], func() bool {
		found := make(chan bool, 4)
		x.tell(func(l *session.Loop) error {
			hit := false
			l.Sessions.Each(func(id int32) {
				if v := l.Visit(id); v.S.State == s && !hit {
					hit = true
					do(v)
				}
			})
			found <- hit
			return nil
		})
		hit := false
		for range x.Plan().Loops {
			hit = <-found || hit
		}
		return hit
	})
}

func (x *stage) reaches(s session.State) { x.t.Helper(); x.on(s, func(*session.Visit) {}) }

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
func (x *stage) turnFor(s session.State, which session.Side) {
	x.on(s, func(v *session.Visit) { v.Yield(which) })
}

// roomFor registers a socket for writing, as if it had been full before. The kernel then
// reports that it is writable.
func (x *stage) roomFor(s session.State, which session.Side) {
	x.on(s, func(v *session.Visit) {
		one := &v.S.Sock[which]
		one.Set(session.WritableWanted)
		v.Reactor.Rewatch(int(one.FD), v.S.Token(v.ID, which), one.Interest())
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
		state session.State
		what  int
		side  session.Side
		bind  string
		do    func(t *testing.T, x *stage)
	}{
		{session.Inspecting, meetErr, session.Client, bindTCP, clientResets},
		{session.Inspecting, meetHup, session.Client, bindUnix, clientCloses},
		{session.Inspecting, meetPri, session.Client, bindTCP, clientUrges},
		{session.Inspecting, meetDrain, session.Client, bindTCP, drains},
		{session.Inspecting, meetStop, session.Client, bindTCP, stops},
		{session.Dialing, meetIn, session.Client, bindTCP, clientSpeaks},
		{session.Dialing, meetLast, session.Client, bindTCP, clientFinishes},
		{session.Dialing, meetErr, session.Client, bindTCP, clientResets},
		{session.Dialing, meetHup, session.Client, bindUnix, clientCloses},
		{session.Dialing, meetPri, session.Client, bindTCP, clientUrges},
		{session.Dialing, meetTurn, session.Client, bindTCP, func(_ *testing.T, x *stage) { x.turnFor(session.Dialing, session.Client) }},
		{session.Dialing, meetOut, session.Client, bindTCP, func(_ *testing.T, x *stage) { x.roomFor(session.Dialing, session.Client) }},
		{session.Dialing, meetDrain, session.Client, bindTCP, drains},
		{session.Dialing, meetStop, session.Client, bindTCP, stops},
		{session.Pausing, meetIn, session.Client, bindTCP, clientSpeaks},
		{session.Pausing, meetLast, session.Client, bindTCP, clientFinishes},
		{session.Pausing, meetErr, session.Client, bindTCP, clientResets},
		{session.Pausing, meetHup, session.Client, bindUnix, clientCloses},
		{session.Pausing, meetPri, session.Client, bindTCP, clientUrges},
		{session.Pausing, meetTurn, session.Client, bindTCP, func(_ *testing.T, x *stage) { x.turnFor(session.Pausing, session.Client) }},
		{session.Pausing, meetOut, session.Client, bindTCP, func(_ *testing.T, x *stage) { x.roomFor(session.Pausing, session.Client) }},
		{session.Pausing, meetDrain, session.Client, bindTCP, drains},
		{session.Pausing, meetStop, session.Client, bindTCP, stops},
		{session.Relaying, meetPri, session.Client, bindTCP, clientUrges},
		{session.Relaying, meetPri, session.Server, bindTCP, serverUrges},
		{session.Asking, meetPri, session.Client, bindTCP, clientUrges},
		{session.Asking, meetHup, session.Client, bindUnix, clientCloses},
		{session.Asking, meetDrain, session.Client, bindTCP, drains},
		{session.Asking, meetStop, session.Client, bindTCP, stops},
		{session.Asking, meetIn, session.Server, bindTCP, serverSpeaks},
		{session.Asking, meetLast, session.Server, bindTCP, serverFinishes},
		{session.Asking, meetHup, session.Server, bindUnix, serverCloses},
		{session.Asking, meetErr, session.Server, bindTCP, serverResets},
		{session.Asking, meetPri, session.Server, bindTCP, serverUrges},
		{session.Asking, meetOut, session.Server, bindTCP, func(_ *testing.T, x *stage) { x.roomFor(session.Asking, session.Server) }},
		{session.Asking, meetTurn, session.Server, bindTCP, func(_ *testing.T, x *stage) { x.turnFor(session.Asking, session.Server) }},
		{session.Exchanging, meetHup, session.Client, bindUnix, clientCloses},
		{session.Exchanging, meetHup, session.Server, bindUnix, serverReadsAndCloses},
		{session.Exchanging, meetPri, session.Client, bindTCP, clientUrges},
		{session.Exchanging, meetPri, session.Server, bindTCP, serverUrges},
		{session.Exchanging, meetDrain, session.Client, bindTCP, drains},
		{session.Exchanging, meetStop, session.Client, bindTCP, stops},
		{session.Leaving, meetIn, session.Client, bindTCP, clientSpeaks},
		{session.Leaving, meetLast, session.Client, bindTCP, clientFinishes},
		{session.Leaving, meetErr, session.Client, bindTCP, clientResets},
		{session.Leaving, meetPri, session.Client, bindTCP, clientUrges},
		{session.Leaving, meetTurn, session.Client, bindTCP, func(_ *testing.T, x *stage) { x.turnFor(session.Leaving, session.Client) }},
		{session.Leaving, meetTimeout, session.Client, bindTCP, func(*testing.T, *stage) {}},
		{session.Leaving, meetDrain, session.Client, bindTCP, drains},
		{session.Leaving, meetStop, session.Client, bindTCP, stops},
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
func (x *stage) meet(t *testing.T, s session.State, what int, which session.Side, do func(*testing.T, *stage)) {
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
		meetTurn: func(_ *testing.T, x *stage) { x.turnFor(session.Leaving, session.Server) },
		meetOut:  func(_ *testing.T, x *stage) { _, _ = io.Copy(io.Discard, x.given()) },
	} {
		t.Run(meetNames[what], func(t *testing.T) {
			x := inStage(t, session.Relaying, bindTCP)
			_ = x.client.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
			_ = push(x.client)
			reset(x.client)
			x.reaches(session.Leaving)
			x.meet(t, session.Leaving, what, session.Server, do)
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
			met := x.probe.(*inspector).holdIn(session.Dialing, func(fd int) {
				do(t, x)
				_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: arrives}}, int(patienceOfTests.Milliseconds()))
			})
			x.meet(t, session.Dialing, what, session.Server, func(_ *testing.T, x *stage) { x.client = x.dial("f"); <-met })
		})
	}
}
