package engine

import (
	"golang.org/x/sys/unix"

	"sluice/engine/relay"
	"sluice/engine/sock"
)

// dial starts a connection to the session's server. The first write shows whether the
// connection is established. On one machine it usually is by then, which saves an event and a
// call. early are bytes read from the client that no flow holds.
func (l *loop) dial(id int32, s *session, early []byte) {
	l.enter(id, s, dialing)
	l.stock.Assign(&s.flow[client], relay.ForInspection)
	l.assign(s)
	l.countConnect(s)
	fd, e := sock.Stream(&l.backendOf(s).addrs[s.server])
	if e != 0 {
		l.keep(s, early)
		l.failed(id, s, exhausted, e)
		return
	}
	if l.probe != nil {
		l.probe.opens(fd)
	}
	s.sock[server].open(fd, l.now)
	s.flow[client].Set(relay.TargetReady)
	connected, e := l.connect(s, early)
	if e != 0 {
		l.failed(id, s, failure(e), e)
		return
	}
	if !connected {
		s.flow[client].Clear(relay.TargetReady)
	}
	if !l.watch(id, s, server) || !l.watch(id, s, client) {
		s.sock[server].close(true) // it may have got a part of the stream, so the client is reset, too
		l.end(id, s, ending{term: term('R', 'C'), last: client, abrupt: true})
		return
	}
	if connected {
		l.established(id, s)
	}
}

// connect starts the connection and writes the bytes that the client has sent already. It
// reports whether the connection is known to be established.
func (l *loop) connect(s *session, early []byte) (connected bool, e sock.Errno) {
	b, fd := l.backendOf(s), int(s.sock[server].fd)
	to := &b.addrs[s.server]
	speaks := len(early)+s.flow[client].Pending() > 0
	if speaks && b.Conf.SmartConnect && !to.IsUnix() {
		sock.DelayACK(fd)
	}
	if speaks && b.Servers[s.server].Conf.TFO {
		l.keep(s, early)
		early, e = nil, l.connectFast(s, to)
	} else {
		e = sock.Connect(fd, to)
	}
	if e != 0 && e != unix.EINPROGRESS {
		l.keep(s, early)
		return false, e
	}
	return l.sendEarly(s, early, e == 0)
}

// connectFast sends bytes of the client in the SYN (TCP Fast Open). The kernel drops these
// bytes if the connection fails, so the client's flow holds them until it is established.
func (l *loop) connectFast(s *session, to *sock.Addr) sock.Errno {
	fd := int(s.sock[server].fd)
	switch n, e := sock.ConnectWith(fd, to, l.stock.Held(&s.flow[client])); e {
	case 0:
		s.inSYN = int32(n)
		return unix.EINPROGRESS
	case unix.EOPNOTSUPP:
		return sock.Connect(fd, to)
	default:
		return e
	}
}

// keep holds early bytes in the client's flow, for a later attempt or for the log.
func (l *loop) keep(s *session, early []byte) { l.stock.Hold(&s.flow[client], early) }

// sendEarly writes the bytes that the client has sent already. If the server's socket accepts a
// byte, the connection is established.
func (l *loop) sendEarly(s *session, early []byte, connected bool) (bool, sock.Errno) {
	fast := s.inSYN > 0
	if fast {
		if ok, e := l.askFast(s); !ok {
			return l.resetBehindSYN(s, e)
		}
		connected = true
		l.tookSYN(s)
	}
	out, fd := &s.flow[client], int(s.sock[server].fd)
	before := out.Bytes
	var e sock.Errno
	switch {
	case out.Pending() > 0:
		e = l.stock.Flush(out, fd)
	case len(early) > 0:
		e = l.stock.Push(out, fd, early)
	}
	if fast && e != 0 {
		return l.resetAfterBytes(s, e)
	}
	return connected || out.Bytes > before, e
}

// askFast is askDial for a connection whose SYN took bytes along. After a reset, asking would drop
// an answer that came before it. So where an event has told of an error, askFast looks for bytes.
func (l *loop) askFast(s *session) (connected bool, e sock.Errno) {
	if s.flow[server].Has(relay.SourceDoubtful) {
		_, e = sock.Peek(int(s.sock[server].fd), l.stock.Buffer[:1])
		if e != unix.ENOMEM && e != unix.ENOBUFS {
			return e == 0, e
		}
	}
	return l.askDial(s)
}

// resetBehindSYN handles an error of a connection whose SYN took bytes along. ECONNRESET, or EPIPE
// behind FIN, means that the connection was established.
func (l *loop) resetBehindSYN(s *session, e sock.Errno) (bool, sock.Errno) {
	if e != unix.ECONNRESET && e != unix.EPIPE {
		return false, e
	}
	l.tookSYN(s)
	return l.resetAfterBytes(s, e)
}

// resetAfterBytes handles an error of an established connection that has got bytes. The server may have
// read them, so they must not be sent again. It may also have sent something before.
func (l *loop) resetAfterBytes(s *session, e sock.Errno) (bool, sock.Errno) {
	l.brokenBy(s, server, e)
	l.stock.Release(&s.flow[client])
	s.flow[server].Set(relay.SourceReady | relay.SourceDoubtful)
	return true, 0
}

// tookSYN drops the copy of the bytes that were sent in the SYN: the connection is established,
// and the kernel delivers them.
func (l *loop) tookSYN(s *session) {
	out := &s.flow[client]
	out.Bytes += uint64(s.inSYN)
	l.stock.Consume(out, int(s.inSYN))
	s.inSYN = 0
}

// tendDial handles an event in the dialing state. A client that has sent FIN still waits for its
// answer.
func (l *loop) tendDial(id int32, s *session, from side) {
	if from == client {
		return
	}
	connected, e := l.sendEarly(s, nil, false)
	if e == 0 && !connected {
		connected, e = l.askDial(s)
	}
	switch {
	case e != 0:
		l.failed(id, s, failure(e), e)
	case connected:
		l.established(id, s)
	}
}

// askDial asks the kernel whether the connection is established. It costs one system call.
func (l *loop) askDial(s *session) (connected bool, e sock.Errno) {
	switch e = sock.Connect(int(s.sock[server].fd), &l.backendOf(s).addrs[s.server]); e {
	case 0, unix.EISCONN:
		return true, 0
	case unix.EALREADY, unix.EINPROGRESS:
		return false, 0
	}
	return false, e
}

// established starts relaying, or in mode http the exchange.
func (l *loop) established(id int32, s *session) {
	l.stock.Assign(&s.flow[client], relay.ForReader)
	s.connected = int32(l.now - s.began)
	s.sock[server].seen = l.now
	s.asked = s.flow[client].Bytes > 0
	if l.backendOf(s).addrs[s.server].IsUnix() {
		s.flow[server].Set(relay.SourceExact)
	}
	if l.isHTTP(s) {
		s.sock[client].seen = l.now // the rest of its body was not read while the server was connected
		l.enter(id, s, exchanging)
		l.exchange(id, s)
		return
	}
	l.enter(id, s, relaying)
	l.relay(id, s)
}

// failure classifies an error of socket, connect or the first write.
func failure(e sock.Errno) attempt {
	switch e {
	case unix.EADDRNOTAVAIL, unix.EADDRINUSE:
		return noPort
	case unix.ENOBUFS, unix.ENOMEM, unix.EMFILE, unix.ENFILE:
		return exhausted
	case unix.ETIMEDOUT:
		return timedOut
	}
	return refused
}
