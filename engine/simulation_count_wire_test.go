//go:build simulation

package engine

import (
	"slices"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
	"sluice/engine/session"
)

// simWire is a record of the balancer's connections, made from its system calls alone. The counters
// are compared with it.
type simWire struct {
	*simulation
	sockets []wireSocket // index: descriptor
	clients []wireFront  // index: number of the frontend
	servers [][]wireServer
	pipes   int   // open descriptors of pipes
	fixed   int   // open descriptors at the start, without pipes and listening sockets
	listen  int   // open listening sockets
	conns   int   // highest number of connections of all plans so far
	lent    int   // highest number of pipes of all plans so far
	opening bool  // a reload opens sockets, whose use is not known yet
	lost    int64 // sockets that could not be opened; their server is not known
	spliced int64 // bytes that splice has written to sockets
	most    int64 // highest number of connections of the process when a session started
	over    bool  // more descriptors were open than the plan allows, and this was reported
}

// wireRole is the use of a descriptor.
type wireRole uint8

const (
	otherFile wireRole = iota
	pipeEnd
	listens // listening socket of a frontend
	toClient
	newborn // a socket that is not connected yet
	toServer
)

// wireSocket is the record of a descriptor.
type wireSocket struct {
	role   wireRole
	of     int   // number of the frontend or backend
	server int   // number of the server in the backend
	early  int64 // number of bytes that were sent with the SYN
	stands bool  // the connection to the server was established
	held   bool  // accepted during a drain, so it may have no session
	used   bool  // bytes were read or written

	talk *simTalk // conversation of the client; nil: not known
	got  int64    // number of bytes that were read
}

// wireFront counts the connections of a frontend's clients.
type wireFront struct {
	accepted int64 // connections
	denied   int64 // connections that a rule must close
	most     int64 // highest number of connections at an accept that led to a session
	mostAny  int64 // highest number of connections at any accept
	held     int64 // connections that were accepted during a drain
	unused   int64 // those of them that were closed without a byte
	wireFlow
}

// wireServer counts the connections to a server.
type wireServer struct {
	attempts int64 // number of attempts to connect
	failed   int64 // connections that were never established
	wireFlow
}

// wireFlow counts the bytes and sockets of a frontend's clients or of a server.
type wireFlow struct {
	read, written int64 // bytes
	open, most    int64 // number of open sockets: now, and at most at the same time
}

func (f *wireFlow) opens() {
	f.open++
	f.most = max(f.most, f.open)
}

// watchWire begins to record the calls of the balancer. It must be called before the balancer opens
// a descriptor.
func watchWire(x *simulation) *simWire {
	w := &simWire{simulation: x, clients: make([]wireFront, len(x.fronts))}
	for _, b := range x.backs {
		w.servers = append(w.servers, make([]wireServer, len(b.servers)))
	}
	x.process.Seen = w.see
	return w
}

// begin is called when the engine is ready. It records the listening sockets.
func (w *simWire) begin() {
	for i, f := range w.engine.today().Frontends {
		for _, l := range w.engine.Loops {
			for _, ln := range l.Listeners {
				if ln.Frontend == f {
					w.listens(ln.FD, i)
				}
			}
		}
	}
	w.fixed = w.process.Open() - w.pipes - w.listen
	p := w.engine.Plan() // a reload may change it before the first look at descriptors
	w.conns, w.lent = p.MaxConn, p.Pipes
}

// listens records a listening socket of a frontend. A socket of a frontend that no client uses has
// the number -1.
func (w *simWire) listens(fd, front int) {
	one := w.at(fd)
	if one.role != listens {
		w.listen++
	}
	*one = wireSocket{role: listens, of: front}
}

// follow records the listening sockets of a reload.
func (w *simWire) follow(u *update) {
	w.opening = false
	for _, all := range u.fresh {
		for _, ln := range all {
			w.listens(ln.FD, w.frontNamed(ln.Frontend.Conf.Name))
		}
	}
}

// frontNamed returns the number of the frontend that has a name in some configuration; -1: none.
func (w *simWire) frontNamed(name string) int {
	return slices.IndexFunc(w.fronts, func(f *simFront) bool { return slices.Contains(f.names(), name) })
}

// listenerOf returns the listener that has a descriptor.
func (w *simWire) listenerOf(fd int) *session.Listener {
	for _, l := range w.engine.Loops {
		for _, ln := range l.Listeners {
			if ln.FD == fd {
				return ln
			}
		}
	}
	return nil
}

// at returns the record of a descriptor.
func (w *simWire) at(fd int) *wireSocket {
	for fd >= len(w.sockets) {
		w.sockets = append(w.sockets, wireSocket{})
	}
	return &w.sockets[fd]
}

// see records a call.
func (w *simWire) see(r kernel.Result) {
	switch r.Call {
	case kernel.CallClose:
		w.close(w.at(r.Fd))
		*w.at(r.Fd) = wireSocket{}
		return
	case kernel.CallSocket:
		w.socket(r)
	case kernel.CallConnect:
		w.connect(r)
	}
	w.answersSYN(r)
	if r.Errno != 0 {
		return
	}
	switch r.Call {
	case kernel.CallPipe:
		w.at(r.Fd).role, w.at(r.To).role = pipeEnd, pipeEnd
		w.pipes += 2
	case kernel.CallAccept:
		w.accept(r)
	case kernel.CallRead:
		w.reads(w.at(r.Fd), int64(r.N))
	case kernel.CallPeek:
		w.haveRead(w.at(r.Fd).talk, w.at(r.Fd).got+int64(r.N))
	case kernel.CallWrite:
		w.writes(w.at(r.Fd), int64(r.N))
	case kernel.CallSplice:
		w.splice(w.at(r.Fd), w.at(r.To), int64(r.N))
	}
	w.checkDescriptors()
}

func (w *simWire) socket(r kernel.Result) {
	if r.Errno != 0 {
		w.lost++
		return
	}
	*w.at(r.Fd) = wireSocket{role: newborn}
}

// accept records a new client. A client that is accepted during a drain does not count in the
// limits yet.
func (w *simWire) accept(r kernel.Result) {
	of := w.at(r.Fd).of
	if of < 0 {
		w.failf("a frontend that no client uses accepts %v", r.At)
		return
	}
	w.checkServed(r.At)
	w.meetClient(w.listenerOf(r.Fd), r.At)
	f, one := &w.clients[of], wireSocket{role: toClient, of: of, talk: w.talkFrom(r.At), held: w.engine.leaving.Load()}
	f.accepted++
	f.opens()
	denied := w.outlaw(of, r.At)
	if denied {
		f.denied++
	}
	if one.held {
		f.held++
	} else {
		n := w.listenerOf(r.Fd).Limits[1].Cur()
		f.mostAny = max(f.mostAny, n)
		if !denied {
			f.most = max(f.most, n)
			w.most = max(w.most, w.engine.Limit.Cur())
		}
	}
	*w.at(r.N) = one
}

// outlaw reports whether a frontend rejects clients with this address by its rule for outlawNet.
func (w *simWire) outlaw(front int, client kernel.Address) bool {
	return w.fronts[front].rejects && client.IP.IsValid() && client.IP.Addr().As4()[1] == outlawNet
}

// connect records an attempt to connect, or a later call that asks for its result.
func (w *simWire) connect(r kernel.Result) {
	one := w.at(r.Fd)
	if one.role == newborn {
		if one.of, one.server = w.serverAt(r.At); one.of < 0 {
			w.failf("the balancer connects to %v, where no server is", r.At)
			return
		}
		one.role = toServer
		v := &w.servers[one.of][one.server]
		v.attempts++
		v.opens()
	}
	if r.Errno == 0 && r.N > 0 { // TCP Fast Open
		one.early = int64(r.N)
		return
	}
	if r.Errno == 0 || r.Errno == unix.EISCONN {
		w.stands(one)
	}
}

// answersSYN records that a call shows the state of a connection whose SYN took bytes along: it was
// established if the call finds bytes or an end, or returns a reset.
func (w *simWire) answersSYN(r kernel.Result) {
	if r.Call != kernel.CallConnect && r.Call != kernel.CallPeek {
		return
	}
	one := w.at(r.Fd)
	reset := r.Errno == unix.ECONNRESET || r.Errno == unix.EPIPE
	if one.early > 0 && (reset || r.Call == kernel.CallPeek && r.Errno == 0) {
		w.stands(one)
	}
}

// serverAt returns the backend and the server with an address, or -1.
func (w *simWire) serverAt(a kernel.Address) (back, server int) {
	for i, b := range w.backs {
		for j, v := range b.servers {
			if a == v.address || a == v.second {
				return i, j
			}
		}
	}
	return -1, -1
}

// stands records that a connection to a server is established. From then on, bytes in its SYN
// count.
func (w *simWire) stands(one *wireSocket) {
	if one.role != toServer || one.stands {
		return
	}
	one.stands = true
	w.servers[one.of][one.server].written += one.early
}

func (w *simWire) reads(one *wireSocket, n int64) {
	one.used = one.used || n > 0
	one.got += n
	w.haveRead(one.talk, one.got)
	if f := w.flow(one); f != nil {
		f.read += n
	}
}

func (w *simWire) writes(one *wireSocket, n int64) {
	if n == 0 {
		return
	}
	one.used = true
	w.stands(one)
	if f := w.flow(one); f != nil {
		f.written += n
	}
}

// splice records bytes that move between a socket and a pipe.
func (w *simWire) splice(from, to *wireSocket, n int64) {
	if to.role == pipeEnd {
		w.reads(from, n)
		return
	}
	w.spliced += n
	w.writes(to, n)
}

// flow returns the counters of a socket; nil: none.
func (w *simWire) flow(one *wireSocket) *wireFlow {
	switch one.role {
	case toClient:
		return &w.clients[one.of].wireFlow
	case toServer:
		return &w.servers[one.of][one.server].wireFlow
	}
	return nil
}

func (w *simWire) close(one *wireSocket) {
	if f := w.flow(one); f != nil {
		f.open--
	}
	switch one.role {
	case pipeEnd:
		w.pipes--
	case listens:
		w.listen--
		if len(w.reloads) > 0 {
			w.limitFiles()
		}
	case toClient:
		if one.held && !one.used {
			w.clients[one.of].unused++
		}
	case toServer:
		if !one.stands {
			w.servers[one.of][one.server].failed++
		}
	}
}
