package kernel

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// release closes the socket after its last descriptor was closed (tcp_close).
func (s *tcp) release() {
	s.orphan = true
	unread := s.in.n > 0
	s.in.free(&s.kernel.net.pool)
	switch {
	case s.state == closed:
	case s.state == listening:
		s.unlisten()
		s.finish()
	case s.state == synSent:
		s.shake.syn = false
		s.finish()
	case unread, s.option.abortive && s.resets():
		s.abort()
	case s.option.abortive:
		s.finish()
	default:
		s.ended = both
		s.sendFIN()
	}
	s.kernel.net.ports.unbind(s)
	s.drained()
	s.kernel.touch(s)
}

// resets reports whether the end of a connection without lingering needs a RST (tcp_need_reset).
func (s *tcp) resets() bool {
	switch s.state {
	case established, closeWait, finWait1, finWait2, synReceived:
		return true
	case closing, lastAck:
		return s.out.sent != s.out.written
	}
	return false
}

// abort sends a RST instead of the bytes that are not sent, and closes the socket.
func (s *tcp) abort() {
	s.answerReset()
	s.finish()
}

// answerReset sends a RST to the peer. The RST arrives after the bytes that are in the network;
// bytes that are not sent yet are dropped. A second call has no effect.
func (s *tcp) answerReset() {
	if s.peer == nil || s.out.rst != noReset {
		return
	}
	s.out.rst = resetSent
	s.out.cut(int(min(s.out.sent, s.out.end()) - s.out.arrived))
}

// fail ends the connection with an error (tcp_reset). Bytes that were received stay; those to send are
// dropped. SIOCOUTQ counts a SYN that was not acknowledged.
func (s *tcp) fail(e Errno) {
	s.err = e
	if s.state == synSent {
		s.out.written++
	}
	s.finish()
	s.wake(anyEvent)
	s.wake(errorReady)
}

// arriveReset ends the connection after a RST from the peer (tcp_reset).
func (s *tcp) arriveReset() {
	if s.state == closed {
		return
	}
	o := &s.out
	o.free(&s.kernel.net.pool)
	o.sent = o.arrived
	s.shake.ack = false
	switch s.state {
	case synSent:
		s.fail(unix.ECONNREFUSED)
	case closeWait:
		s.fail(unix.EPIPE)
	default:
		s.fail(unix.ECONNRESET)
	}
}

// sendFIN queues a FIN after the written bytes (tcp_close_state, tcp_send_fin). It has no effect if
// a FIN is queued already or the connection has ended.
func (s *tcp) sendFIN() {
	switch s.state {
	case established, synReceived:
		s.state = finWait1
	case closeWait:
		s.state = lastAck
	default:
		return
	}
	s.uncork()
	s.out.fin = true
	s.out.written++
	s.kernel.touch(s)
}

// shutdown has the semantics of the kernel function inet_shutdown.
func (s *tcp) shutdown(how int) Errno {
	if how < unix.SHUT_RD || how > unix.SHUT_RDWR {
		return unix.EINVAL
	}
	ends := uint8(how + 1)
	if s.attachment == connecting {
		s.attachment = connected
		if s.state == closed {
			s.attachment = disconnecting
		}
	}
	e := Errno(0)
	switch s.state {
	case synSent:
		s.disconnect()
	case listening:
		if ends&receiving != 0 {
			s.disconnect()
		}
	default:
		if s.state == closed {
			e = unix.ENOTCONN
		}
		s.ended |= ends
		if ends&sending != 0 {
			s.sendFIN()
		}
	}
	s.kernel.settle() // the FIN reaches the peer before the events of this socket are announced
	s.wake(anyEvent)
	return e
}

// disconnect returns the socket to the state without a connection (tcp_disconnect). Bytes, FIN and
// RST of the old connection may still be in the network. They reach the peer, because disconnect
// moves them to a new socket without a descriptor.
func (s *tcp) disconnect() {
	switch {
	case s.state == listening:
		s.unlisten()
	case s.state == synSent:
		s.err = unix.ECONNRESET
	}
	s.finish()
	k := s.kernel
	s.in.free(&k.net.pool)
	k.net.ports.untie(s)
	rest := *s
	rest.references, rest.name, rest.index, rest.orphan = references{}, names{}, -1, true
	rest.shake.syn = false
	if rest.peer != nil {
		rest.peer.peer = &rest
	}
	s.forget()
	k.touch(&rest)
	k.touch(s)
	s.wake(errorReady)
}

// forget resets all fields that belong to a connection. The local port stays for getsockname,
// although the socket does not own the port any more.
func (s *tcp) forget() {
	name := names{bound: s.name.bound, chosen: s.name.chosen}
	name.local = netip.AddrPortFrom(s.boundAddress(), s.name.local.Port())
	*s = tcp{references: s.references, kernel: s.kernel, option: s.option, index: s.index, err: s.err, name: name}
}

// bury frees the buffers and addresses of a closed socket without a descriptor. The caller has
// checked that nothing from the socket is in the network.
func (s *tcp) bury() {
	if !s.orphan || s.state != closed {
		return
	}
	s.in.free(&s.kernel.net.pool)
	s.out.free(&s.kernel.net.pool)
	s.kernel.net.ports.untie(s)
}
