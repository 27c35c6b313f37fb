package session

import (
	"golang.org/x/sys/unix"

	"sluice/engine/relay"
	"sluice/engine/site"
	"sluice/engine/sock"
)

// dial starts a connection to the session's server. The first write shows whether the connection is
// established. A connection on one machine usually is established by then, which saves an event and
// a call. early are bytes that were read from the client and that no flow holds.
func (v *Visit) dial(early []byte) {
	v.Enter(Dialing)
	v.Stock.Assign(&v.S.Flow[Client], relay.ForInspection)
	v.Assign()
	v.countConnect()
	v.S.ServerMoves = v.Server().Moves()
	to := site.Address(v.Server())
	fd, e := sock.Stream(to)
	if e != 0 {
		v.keep(early)
		v.failed(exhausted, e)
		return
	}
	if v.probe != nil {
		v.probe.Opens(fd)
	}
	v.S.Sock[Server].open(fd, v.Now())
	v.S.Flow[Client].Set(relay.TargetReady)
	if to.IsUnix() {
		v.S.Flow[Server].Set(relay.SourceExact)
	}
	connected, e := v.connect(to, early)
	if e != 0 {
		v.failed(failure(e), e)
		return
	}
	if !connected {
		v.S.Flow[Client].Clear(relay.TargetReady)
	}
	if !v.Watch(Server) || !v.Watch(Client) {
		// The server is reset. If it may have got a part of the stream, the client is reset, too.
		partly := v.S.Flow[Client].Bytes > 0 || v.S.inSYN > 0
		v.S.Sock[Server].close(true)
		v.End(Ending{Term: Term('R', 'C'), Last: Client, Abrupt: partly})
		return
	}
	if connected {
		v.established()
	}
}

// connect starts the connection to an address, without waiting for it. It sends the bytes that the
// client has sent already, as far as possible, and holds the rest. connected means that the
// connection is known to be established. If it is false and e is 0, the connection is in progress.
func (v *Visit) connect(to *sock.Addr, early []byte) (connected bool, e sock.Errno) {
	fd := int(v.S.Sock[Server].FD)
	speaks := len(early)+v.S.Flow[Client].Pending() > 0
	if speaks && v.Backend.Conf.SmartConnect && !to.IsUnix() {
		sock.DelayACK(fd)
	}
	if speaks && v.Server().Conf().TFO {
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

// connectFast sends bytes of the client in the SYN (TCP Fast Open). If the connection fails, the
// kernel drops these bytes. So the client's flow holds a copy until the connection is established.
func (v *Visit) connectFast(to *sock.Addr) sock.Errno {
	fd := int(v.S.Sock[Server].FD)
	switch n, e := sock.ConnectWith(fd, to, v.Stock.Held(&v.S.Flow[Client])); e {
	case 0:
		v.S.inSYN = int32(n)
		return unix.EINPROGRESS
	case unix.EOPNOTSUPP:
		return sock.Connect(fd, to)
	default:
		return e
	}
}

// keep holds early bytes in the client's flow, for a later attempt or for the log.
func (v *Visit) keep(early []byte) { v.Stock.Hold(&v.S.Flow[Client], early) }

// sendEarly writes the bytes that the client has sent already. It returns true if the connection is
// established, which is certain as soon as the server's socket accepts a byte.
func (v *Visit) sendEarly(early []byte, connected bool) (bool, sock.Errno) {
	fast := v.S.inSYN > 0
	if fast {
		if ok, e := v.askFast(); !ok {
			return v.resetBehindSYN(e)
		}
		connected = true
		v.tookSYN()
	}
	out, fd := &v.S.Flow[Client], int(v.S.Sock[Server].FD)
	before := out.Bytes
	var e sock.Errno
	switch {
	case out.Pending() > 0:
		e = v.Stock.Flush(out, fd)
	case len(early) > 0:
		e = v.Stock.Push(out, fd, early)
	}
	if fast && e != 0 {
		return v.resetAfterBytes(e)
	}
	return connected || out.Bytes > before, e
}

// askFast does the work of askDial for a connection whose SYN carried bytes. After a reset, a call
// of connect would discard an answer that came before the reset. So if an event has reported an
// error, askFast first looks for bytes with a peek.
func (v *Visit) askFast() (connected bool, e sock.Errno) {
	if v.S.Flow[Server].Has(relay.SourceDoubtful) {
		_, e = sock.Peek(int(v.S.Sock[Server].FD), v.Stock.Buffer[:1])
		if e != unix.ENOMEM && e != unix.ENOBUFS {
			return e == 0, e
		}
	}
	return v.askDial()
}

// resetBehindSYN handles an error of a connection whose SYN carried bytes. ECONNRESET, or EPIPE
// after a FIN, means that the connection was established.
func (v *Visit) resetBehindSYN(e sock.Errno) (bool, sock.Errno) {
	if e != unix.ECONNRESET && e != unix.EPIPE {
		return false, e
	}
	v.tookSYN()
	return v.resetAfterBytes(e)
}

// resetAfterBytes handles an error of an established connection on which bytes were sent. The
// server may have read them, so they must not be sent again. The server may also have sent bytes
// before the error, so the session still reads them.
func (v *Visit) resetAfterBytes(e sock.Errno) (bool, sock.Errno) {
	v.BrokenBy(Server, e)
	v.Stock.Release(&v.S.Flow[Client])
	v.S.Flow[Server].Set(relay.SourceReady | relay.SourceDoubtful)
	return true, 0
}

// tookSYN drops the copy of the bytes that were sent in the SYN: the connection is established,
// and the kernel delivers them.
func (v *Visit) tookSYN() {
	out := &v.S.Flow[Client]
	out.Bytes += uint64(v.S.inSYN)
	v.Stock.Consume(out, int(v.S.inSYN))
	v.S.inSYN = 0
}

// tendDial handles an event in the dialing state. A client that has sent FIN still waits for its
// answer.
func (v *Visit) tendDial(from Side) {
	if from == Client {
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

// askDial asks the kernel whether the connection is established, with one call of connect. The
// server's address may have changed since dial. This does no harm, because the kernel ignores the
// address for a connection that has begun.
func (v *Visit) askDial() (connected bool, e sock.Errno) {
	switch e = sock.Connect(int(v.S.Sock[Server].FD), site.Address(v.Server())); e {
	case 0, unix.EISCONN:
		return true, 0
	case unix.EALREADY, unix.EINPROGRESS:
		return false, 0
	}
	return false, e
}

// established is called when the connection to the server is established. Mode tcp then relays, and
// mode http starts the exchange.
func (v *Visit) established() {
	v.Stock.Assign(&v.S.Flow[Client], relay.ForReader)
	v.S.Connected = int32(v.Now() - v.S.Began)
	v.S.Sock[Server].Seen = v.Now()
	v.S.Asked = v.S.Flow[Client].Bytes > 0
	v.Mode.Connected()
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
