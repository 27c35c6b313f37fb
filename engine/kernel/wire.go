package kernel

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// action is one possible step of the network that concerns a packet of a socket.
type action uint8

const (
	deliverSYN    action = 1 << iota // the SYN reaches the listening socket
	deliverSYNACK                    // the SYN-ACK reaches the client
	deliverACK                       // the last ACK of the handshake reaches the server
	transmit                         // bytes leave the send buffer for the network
	deliver                          // bytes or a FIN reach the peer
	deliverReset                     // a RST reaches the peer
	acknowledge                      // the peer's acknowledgement of bytes reaches the sender
)

// actions returns the set of the steps that are possible now for the packets of this socket.
func (s *tcp) actions() (a action) {
	switch {
	case s.shake.syn:
		return deliverSYN
	case s.shake.synAck:
		return deliverSYNACK
	case s.shake.ack:
		return deliverACK
	case s.peer == nil || s.state == synSent:
		return 0
	}
	o := &s.out
	if s.transmits() {
		a |= transmit
	}
	switch takes := s.peer.takes(); {
	case o.arrived < o.sent && takes:
		a |= deliver
	case o.rst == resetSent:
		a |= deliverReset
	}
	if o.acked < s.peer.received && s.state != closed {
		a |= acknowledge
	}
	return a
}

// takes reports whether bytes, FIN and RST may reach the socket now. During the handshake they wait
// in the network.
func (s *tcp) takes() bool { return s.state != synReceived || s.shake.fast }

// transmits reports whether the socket may send bytes or a FIN now.
func (s *tcp) transmits() bool {
	o := &s.out
	if o.sent == o.written || s.state == closed {
		return false
	}
	return (o.sent < o.ready() || o.sent == o.end()) && s.window() > 0
}

// window returns how many bytes the peer's receive buffer takes now. A FIN needs space for one
// byte. An urgent byte in the receive queue does not count, because it may stay there for ever. The
// smallest buffer of Linux is larger than one byte, so the byte blocks nothing there.
func (s *tcp) window() int {
	to := s.peer
	unread := to.in.n
	if to.urgent.state != notUrgent && unread > 0 {
		unread--
	}
	return max(0, to.option.receive-unread-int(s.out.sent-s.out.arrived))
}

// step does one of the socket's possible actions, chosen at random.
func (s *tcp) step() {
	switch s.choose() {
	case deliverSYN:
		s.arriveSYN()
	case deliverSYNACK:
		s.arriveSYNACK()
	case deliverACK:
		s.arriveACK()
	case transmit:
		s.transmit()
	case deliver:
		s.deliver()
	case deliverReset:
		s.reaches("RST")
		s.out.rst = resetArrived
		s.peer.arriveReset()
	case acknowledge:
		upTo := s.peer.received
		s.acknowledged(s.out.acked + uint64(s.kernel.some(int(upTo-s.out.acked))))
	}
	s.kernel.touch(s)
	if s.peer != nil {
		s.kernel.touch(s.peer)
	}
}

// choose returns one of the actions that may happen.
func (s *tcp) choose() action {
	a := s.actions()
	first := a & -a
	for a &= a - 1; a != 0; a &= a - 1 {
		if s.kernel.Rand.Uint64()&1 != 0 {
			first = a & -a
		}
	}
	return first
}

// transmit sends some bytes, and possibly the FIN after them. They reach the peer at once in half
// of all cases.
func (s *tcp) transmit() {
	o := &s.out
	if n := min(int(o.ready()-o.sent), s.window()); n > 0 {
		o.sent += uint64(s.kernel.some(n))
	}
	if o.fin && o.sent == o.end() && s.window() > 0 && s.kernel.coin() {
		o.sent = o.written
	}
	o.carried = s.received
	if o.full {
		s.wakeWriter()
	}
	if o.arrived < o.sent && s.peer.takes() && s.kernel.coin() {
		s.deliver()
	}
}

// deliver lets some of the bytes, or the FIN, reach the peer.
func (s *tcp) deliver() {
	o, to := &s.out, s.peer
	to.acknowledged(o.carried)
	if s.kernel.coin() {
		to.uncork() // any segment makes the receiver send (tcp_data_snd_check)
	}
	n := s.kernel.some(int(o.sent - o.arrived))
	bytes := min(n, int(o.end()-o.arrived))
	if last := o.urgent; o.arrived < last && last <= o.arrived+uint64(bytes) && to.state != closed {
		to.announce(last-1, o.at(int(last-1-o.arrived)))
	}
	if !to.accepts(bytes) {
		o.drop(bytes)
		o.arrived += uint64(n)
		return
	}
	if bytes > 0 {
		s.bytesReach(bytes)
		s.put(to, bytes)
	}
	if n > bytes {
		s.reaches("FIN")
		o.arrived++
		to.arriveFIN()
	}
}

// accepts reports whether the socket takes bytes or a FIN. A closed socket answers with RST. A
// socket that has ended both directions answers bytes with RST, too, and closes
// (tcp_rcv_state_process).
func (s *tcp) accepts(bytes int) bool {
	switch {
	case s.state == closed:
		s.answerReset()
		return false
	case (s.state == finWait1 || s.state == finWait2) && s.ended&receiving != 0 && bytes > 0:
		s.answerReset()
		s.fail(unix.ECONNRESET)
		return false
	}
	return true
}

// put moves n bytes into the receive queue of the peer.
func (s *tcp) put(to *tcp, n int) {
	o := &s.out
	join := s.kernel.Rand.Uint64()&1 != 0
	o.copy(to.in.add(&s.kernel.net.pool, n, join))
	o.drop(n)
	o.arrived += uint64(n)
	to.received += uint64(n)
	to.wake(dataReady)
}

// arriveFIN ends the receiving direction (tcp_fin).
func (s *tcp) arriveFIN() {
	s.received++
	s.ended |= receiving
	s.done = true
	switch s.state {
	case established, synReceived:
		s.state = closeWait
	case finWait1:
		s.state = closing
	case finWait2:
		s.finish()
	}
	s.wake(anyEvent)
	s.wake(dataReady)
}

// acknowledged notes that the peer has received the first n bytes.
func (s *tcp) acknowledged(n uint64) {
	o := &s.out
	if n <= o.acked || s.state == closed {
		return
	}
	o.acked = n
	s.uncork() // a segment from the peer makes the socket send, see deliver
	if o.fin && n == o.written {
		s.finAcknowledged()
	}
	if o.full && !s.orphan {
		s.wakeWriter()
	}
}

// finAcknowledged changes the state after the peer has acknowledged the FIN.
func (s *tcp) finAcknowledged() {
	switch s.state {
	case finWait1:
		s.state = finWait2
		s.wake(anyEvent)
	case closing, lastAck:
		s.finish()
		s.wake(anyEvent)
	}
}

// finish closes the socket (tcp_done). A bound port that the caller did not choose is freed.
func (s *tcp) finish() {
	s.stopRetry()
	if name := &s.name; name.bound.IsValid() && !name.chosen {
		s.kernel.net.ports.unbind(s)
		name.bound = netip.AddrPortFrom(name.bound.Addr(), 0)
	}
	s.state = closed
	s.ended = both
	s.uncork()
}
