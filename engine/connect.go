package engine

import (
	"golang.org/x/sys/unix"

	"sluice/engine/relay"
	"sluice/engine/site"
	"sluice/engine/sock"
)

// dial starts a connection to the session's server. The first write shows whether the
// connection is established. On one machine it usually is by then, which saves an event and a
// call. early are bytes read from the client that no flow holds.
func (v *visit) dial(early []byte) {
	v.enter(dialing)
	v.stock.Assign(&v.s.flow[client], relay.ForInspection)
	v.assign()
	v.countConnect()
	v.s.serverMoves = v.srv().Moves()
	to := site.Address(v.srv())
	fd, e := sock.Stream(to)
	if e != 0 {
		v.keep(early)
		v.failed(exhausted, e)
		return
	}
	if v.probe != nil {
		v.probe.opens(fd)
	}
	v.s.sock[server].open(fd, v.now())
	v.s.flow[client].Set(relay.TargetReady)
	if to.IsUnix() {
		v.s.flow[server].Set(relay.SourceExact)
	}
	connected, e := v.connect(to, early)
	if e != 0 {
		v.failed(failure(e), e)
		return
	}
	if !connected {
		v.s.flow[client].Clear(relay.TargetReady)
	}
	if !v.watch(server) || !v.watch(client) {
		// A server that may have got a part of the stream is reset, and then its client, too.
		partly := v.s.flow[client].Bytes > 0 || v.s.inSYN > 0
		v.s.sock[server].close(true)
		v.end(ending{term: term('R', 'C'), last: client, abrupt: partly})
		return
	}
	if connected {
		v.established()
	}
}

// connect starts the connection to an address and writes the bytes that the client has sent already. It
// reports whether the connection is known to be established.
func (v *visit) connect(to *sock.Addr, early []byte) (connected bool, e sock.Errno) {
	fd := int(v.s.sock[server].fd)
	speaks := len(early)+v.s.flow[client].Pending() > 0
	if speaks && v.b.Conf.SmartConnect && !to.IsUnix() {
		sock.DelayACK(fd)
	}
	if speaks && v.srv().Conf.TFO {
		v.keep(early)
		early, e = nil, v.connectFast(to)
	} else {
		e = sock.Connect(fd, to)
	}
	if e != 0 && e != unix.EINPROGRESS {
		v.keep(early)
		return false, e
	}
	return v.sendEarly(early, e == 0)
}

// connectFast sends bytes of the client in the SYN (TCP Fast Open). The kernel drops these
// bytes if the connection fails, so the client's flow holds them until it is established.
func (v *visit) connectFast(to *sock.Addr) sock.Errno {
	fd := int(v.s.sock[server].fd)
	switch n, e := sock.ConnectWith(fd, to, v.stock.Held(&v.s.flow[client])); e {
	case 0:
		v.s.inSYN = int32(n)
		return unix.EINPROGRESS
	case unix.EOPNOTSUPP:
		return sock.Connect(fd, to)
	default:
		return e
	}
}

// keep holds early bytes in the client's flow, for a later attempt or for the log.
func (v *visit) keep(early []byte) { v.stock.Hold(&v.s.flow[client], early) }

// sendEarly writes the bytes that the client has sent already. If the server's socket accepts a
// byte, the connection is established.
func (v *visit) sendEarly(early []byte, connected bool) (bool, sock.Errno) {
	fast := v.s.inSYN > 0
	if fast {
		if ok, e := v.askFast(); !ok {
			return v.resetBehindSYN(e)
		}
		connected = true
		v.tookSYN()
	}
	out, fd := &v.s.flow[client], int(v.s.sock[server].fd)
	before := out.Bytes
	var e sock.Errno
	switch {
	case out.Pending() > 0:
		e = v.stock.Flush(out, fd)
	case len(early) > 0:
		e = v.stock.Push(out, fd, early)
	}
	if fast && e != 0 {
		return v.resetAfterBytes(e)
	}
	return connected || out.Bytes > before, e
}

// askFast is askDial for a connection whose SYN took bytes along. After a reset, asking would drop
// an answer that came before it. So where an event has told of an error, askFast looks for bytes.
func (v *visit) askFast() (connected bool, e sock.Errno) {
	if v.s.flow[server].Has(relay.SourceDoubtful) {
		_, e = sock.Peek(int(v.s.sock[server].fd), v.stock.Buffer[:1])
		if e != unix.ENOMEM && e != unix.ENOBUFS {
			return e == 0, e
		}
	}
	return v.askDial()
}

// resetBehindSYN handles an error of a connection whose SYN took bytes along. ECONNRESET, or EPIPE
// behind FIN, means that the connection was established.
func (v *visit) resetBehindSYN(e sock.Errno) (bool, sock.Errno) {
	if e != unix.ECONNRESET && e != unix.EPIPE {
		return false, e
	}
	v.tookSYN()
	return v.resetAfterBytes(e)
}

// resetAfterBytes handles an error of an established connection that has got bytes. The server may have
// read them, so they must not be sent again. It may also have sent something before.
func (v *visit) resetAfterBytes(e sock.Errno) (bool, sock.Errno) {
	v.brokenBy(server, e)
	v.stock.Release(&v.s.flow[client])
	v.s.flow[server].Set(relay.SourceReady | relay.SourceDoubtful)
	return true, 0
}

// tookSYN drops the copy of the bytes that were sent in the SYN: the connection is established,
// and the kernel delivers them.
func (v *visit) tookSYN() {
	out := &v.s.flow[client]
	out.Bytes += uint64(v.s.inSYN)
	v.stock.Consume(out, int(v.s.inSYN))
	v.s.inSYN = 0
}

// tendDial handles an event in the dialing state. A client that has sent FIN still waits for its
// answer.
func (v *visit) tendDial(from side) {
	if from == client {
		return
	}
	connected, e := v.sendEarly(nil, false)
	if e == 0 && !connected {
		connected, e = v.askDial()
	}
	switch {
	case e != 0:
		v.failed(failure(e), e)
	case connected:
		v.established()
	}
}

// askDial asks the kernel whether the connection is established. It costs one system call. For a
// connection under way the kernel ignores the address, which can be another one by now.
func (v *visit) askDial() (connected bool, e sock.Errno) {
	switch e = sock.Connect(int(v.s.sock[server].fd), site.Address(v.srv())); e {
	case 0, unix.EISCONN:
		return true, 0
	case unix.EALREADY, unix.EINPROGRESS:
		return false, 0
	}
	return false, e
}

// established starts relaying, or in mode http the exchange.
func (v *visit) established() {
	v.stock.Assign(&v.s.flow[client], relay.ForReader)
	v.s.connected = int32(v.now() - v.s.began)
	v.s.sock[server].seen = v.now()
	v.s.asked = v.s.flow[client].Bytes > 0
	v.mode.connected()
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
