//go:build simulation

package engine

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/actor"
)

// unsteadyServer makes a server change its behaviour during the world.
func unsteadyServer(t *turn[*simBack]) {
	v := anyServer(t)
	v.at = t.soon()
	v.become(among(t.Rand, restarts, stops, vanishes, dawdles))
}

// keepsWaiting reports whether connections to the backend may take longer than its timeouts,
// although the clients are connected. The reason is a server with a full accept queue: a SYN to it
// is sent again after 1 s or more, and a SYN-ACK up to 31 s later.
func (b *simBack) keepsWaiting() bool {
	return leastTime(b.patience, b.greetings) < time.Minute &&
		slices.ContainsFunc(b.servers, func(v *simServer) bool { return v.kind == dawdles })
}

// makeServer starts a server, unless nothing listens at its address.
func (x *simulation) makeServer(b *simBack, v *simServer) {
	switch {
	case v.kind == blackhole:
		x.kernel.Blackhole(v.address)
		return
	case v.kind == refuses:
		return
	}
	x.cast.Spawn(v.name, func(a *actor.Actor) {
		l := x.listen(a, v)
		switch {
		case l == nil:
		case b.http:
			x.webs.ServeOn(actor.WebServer{Name: v.name, Backend: b.name, At: v.address, FastOpen: v.tfo}, a, l)
		default:
			x.serveStreams(a, l, b, v)
		}
	})
	x.servers++
}

// listen opens the listening socket of a server.
func (x *simulation) listen(a *actor.Actor, v *simServer) *actor.Listener {
	backlog := 128
	if v.kind == dawdles {
		backlog = 1
	}
	l, err := a.Listen(v.address, backlog)
	if err != nil {
		x.failf("server %s cannot listen: %v", v.name, err)
		return nil
	}
	if v.tfo {
		_ = a.Process.SetOption(l.Fd(), unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 10) // UNIX sockets do not have this option
	}
	if v.kind == dawdles {
		l.Rest = 5 * time.Millisecond
	}
	return l
}

// serveStreams runs a server in mode tcp.
func (x *simulation) serveStreams(a *actor.Actor, l *actor.Listener, b *simBack, v *simServer) {
	greet := x.greeting(b)
	switch v.kind {
	case vanishes:
		x.kernel.After(v.at, func() { x.kernel.Blackhole(v.address) })
	case restarts, stops:
		x.kernel.After(v.at, func() { _ = l.Close() })
		x.streams.Serve(a, l, greet)
		if v.kind == stops {
			x.servers--
			return
		}
		a.Pause(v.at)
		if l = x.listen(a, v); l == nil {
			return
		}
	}
	x.streams.Serve(a, l, greet)
}
