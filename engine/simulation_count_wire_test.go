//go:build simulation

package engine

import (
	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

// simWire is what the system calls of the balancer show of its connections. Counters are compared
// with it. It knows nothing of sessions.
type simWire struct {
	*simulation
	sockets []wireSocket // by descriptor
	clients []wireFront  // by frontend
	servers [][]wireServer
	pipes   int   // open descriptors of pipes
	fixed   int   // open descriptors at the start, without pipes
	lost    int64 // sockets that could not be opened: nothing tells for which server
	spliced int64 // bytes that splice has written to sockets
	most    int64 // the most connections of the process at the start of a session
	over    bool  // more descriptors were open than the plan allows
}

// wireRole is what a descriptor is for.
type wireRole uint8

const (
	otherFile wireRole = iota
	pipeEnd
	listens // for clients of a frontend
	toClient
	newborn // a socket that is not connected yet
	toServer
)

// wireSocket is a descriptor.
type wireSocket struct {
	role   wireRole
	of     int   // frontend or backend
	server int   // in the backend
	early  int64 // bytes that were sent with the SYN
	stands bool  // the connection to the server was established
	held   bool  // a drain has accepted it: it may have no session
	used   bool  // bytes were moved
}

// wireFront is what the clients of a frontend have done.
type wireFront struct {
	accepted int64 // connections
	denied   int64 // connections that a rule must close
	most     int64 // the most connections at an accept that led to a session
	mostAny  int64 // the most connections at any accept
	held     int64 // connections that a drain has accepted
	unused   int64 // those of them that were closed without a byte
	wireFlow
}

// wireServer is what was done with a server.
type wireServer struct {
	attempts int64 // to connect
	failed   int64 // connections that never stood
	wireFlow
}

// wireFlow is what the sockets of a peer have moved.
type wireFlow struct {
	read, written int64 // bytes
	open, most    int64 // sockets: now, and at once
}

func (f *wireFlow) opens() {
	f.open++
	f.most = max(f.most, f.open)
}

// watchWire begins to watch the calls of the balancer. No descriptor may be open.
func watchWire(x *simulation) *simWire {
	w := &simWire{simulation: x, clients: make([]wireFront, len(x.fronts))}
	for _, b := range x.backs {
		w.servers = append(w.servers, make([]wireServer, len(b.servers)))
	}
	x.process.Seen = w.see
	return w
}

// begin is called when the engine is ready.
func (w *simWire) begin() {
	for i, f := range w.engine.site.frontends {
		for _, l := range w.engine.loops {
			for _, ln := range l.listeners {
				if ln.frontend == f {
					*w.at(ln.fd) = wireSocket{role: listens, of: i}
				}
			}
		}
	}
	w.fixed = w.process.Open() - w.pipes
}

// at returns what is known of a descriptor.
func (w *simWire) at(fd int) *wireSocket {
	for fd >= len(w.sockets) {
		w.sockets = append(w.sockets, wireSocket{})
	}
	return &w.sockets[fd]
}

// see takes notice of a call.
func (w *simWire) see(r kernel.Result) {
	switch r.Call {
	case kernel.CallClose:
		w.close(w.at(r.Fd))
		*w.at(r.Fd) = wireSocket{}
	case kernel.CallSocket:
		w.socket(r)
	case kernel.CallConnect:
		w.connect(r)
	}
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

// accept takes notice of a client. If a drain accepts it, it has no place of the limits yet.
func (w *simWire) accept(r kernel.Result) {
	of := w.at(r.Fd).of
	f, one := &w.clients[of], wireSocket{role: toClient, of: of, held: w.engine.leaving.Load()}
	f.accepted++
	f.opens()
	denied := w.outlaw(of, r.At)
	if denied {
		f.denied++
	}
	if one.held {
		f.held++
	} else {
		n := w.engine.site.frontends[of].limit.Cur()
		f.mostAny = max(f.mostAny, n)
		if !denied {
			f.most = max(f.most, n)
			w.most = max(w.most, w.engine.limit.Cur())
		}
	}
	*w.at(r.N) = one
}

// outlaw reports whether a frontend rejects clients with this address.
func (w *simWire) outlaw(front int, client kernel.Address) bool {
	return w.fronts[front].rejects && client.IP.IsValid() && client.IP.Addr().As4()[1] == outlawNet
}

// connect takes notice of an attempt, or of a later look whether the connection stands.
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

// serverAt returns the backend and the server with an address, or -1.
func (w *simWire) serverAt(a kernel.Address) (back, server int) {
	for i, b := range w.backs {
		for j, v := range b.servers {
			if v.address == a {
				return i, j
			}
		}
	}
	return -1, -1
}

// stands: a connection to a server is established. Now bytes in its SYN count.
func (w *simWire) stands(one *wireSocket) {
	if one.role != toServer || one.stands {
		return
	}
	one.stands = true
	w.servers[one.of][one.server].written += one.early
}

func (w *simWire) reads(one *wireSocket, n int64) {
	one.used = one.used || n > 0
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

// splice takes notice of bytes that move between a socket and a pipe.
func (w *simWire) splice(from, to *wireSocket, n int64) {
	if to.role == pipeEnd {
		w.reads(from, n)
		return
	}
	w.spliced += n
	w.writes(to, n)
}

// flow returns the sums to which a socket belongs; nil: none.
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
