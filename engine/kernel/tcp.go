package kernel

import (
	"math"
	"net/netip"

	"golang.org/x/sys/unix"
)

// state is the state of a TCP socket, as in RFC 9293. TIME_WAIT is no state of a socket on Linux: the
// socket is closed then.
type state uint8

const (
	closed state = iota
	listening
	synSent
	synReceived
	established
	finWait1
	finWait2
	closeWait
	closing
	lastAck
)

// attachment is the progress of connect(2) on a socket (socket_state in the kernel).
type attachment uint8

const (
	unconnected attachment = iota
	connecting             // connect has returned EINPROGRESS, and not yet the result
	connected
	disconnecting // shutdown was called after a failed connection, before connect has returned its error
)

// The two directions of a connection that shutdown and the peer's FIN end.
const (
	receiving uint8 = 1 << iota
	sending

	both = receiving | sending
)

// The epoll events that a change of a socket announces, by the kernel callback that announces them.
const (
	anyEvent   = 0                                                                  // sk_state_change
	dataReady  = unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLRDNORM | unix.EPOLLRDBAND // sk_data_ready
	spaceReady = unix.EPOLLOUT | unix.EPOLLWRNORM | unix.EPOLLWRBAND                // sk_write_space
	errorReady = unix.EPOLLERR                                                      // sk_error_report
	hungUp     = unix.EPOLLIN | unix.EPOLLRDNORM | unix.EPOLLRDHUP
)

// tcp is a TCP socket. After its last descriptor is closed, the socket exists until its bytes and
// its FIN have reached the peer.
//
// A direction of a connection belongs to its sender. Its bytes have sequence numbers from 0; a FIN
// has a sequence number, too. acked <= arrived <= sent <= written.
type tcp struct {
	references
	kernel *Kernel
	option options
	name   names

	state      state
	attachment attachment
	ended      uint8 // directions that have ended (sk_shutdown)
	err        Errno // error that no call has returned yet (sk_err); 0: none
	done       bool  // the peer's FIN has arrived (SOCK_DONE)
	orphan     bool  // no descriptor refers to the socket (SOCK_DEAD)
	peer       *tcp  // the other end; nil before the SYN has arrived
	index      int   // index in the list of pending sockets; -1: no action is possible

	out      outflow
	in       inbox
	received uint64 // bytes and FIN that arrived here (rcv_nxt)
	consumed uint64 // of the received bytes, those read or skipped (copied_seq)
	urgent   urgent // the last urgent byte received

	queue   []*tcp // accept queue of a listening socket
	backlog int
	shake   handshake

	cut [][]byte // result of the last spliceOut; its memory is reused
}

// outflow is the direction of a connection from a socket to its peer.
type outflow struct {
	ring                          // the bytes from sequence number arrived on
	acked, arrived, sent, written uint64
	fin                           bool   // the last sequence number of written is a FIN
	full                          bool   // a writer waits for space (SOCK_NOSPACE)
	hold                          *timer // if not nil, bytes from corkAt on are not sent before it fires (MSG_MORE)
	corkAt                        uint64
	urgent                        uint64 // number of bytes up to and including the urgent byte; 0: none
	carried                       uint64 // number of received bytes that the last segment sent acknowledges
	rst                           reset
}

// reset is the state of a RST from a socket to its peer.
type reset uint8

const (
	noReset reset = iota
	resetSent
	resetArrived
)

// newTCP returns a socket without a connection.
func (k *Kernel) newTCP(six bool) *tcp {
	s := &tcp{kernel: k, index: -1}
	s.option.six = six
	s.option.send, s.option.receive = 64<<10, 64<<10
	if k.Buffers != nil {
		s.option.send, s.option.receive = k.Buffers()
	}
	return s
}

// poll has the semantics of the kernel function tcp_poll. If the send buffer is full, poll notes
// that a writer waits: a later acknowledgement will announce the free space.
func (s *tcp) poll() (events uint32) {
	if s.state == listening {
		if len(s.queue) > 0 {
			return unix.EPOLLIN | unix.EPOLLRDNORM
		}
		return 0
	}
	if s.ended == both || s.state == closed {
		events |= unix.EPOLLHUP
	}
	if s.ended&receiving != 0 {
		events |= hungUp
	}
	if s.err != 0 {
		events |= unix.EPOLLERR
	}
	if s.state == synSent {
		return events
	}
	if s.readable() {
		events |= unix.EPOLLIN | unix.EPOLLRDNORM
	}
	if s.urgent.state == urgentThere {
		events |= unix.EPOLLPRI
	}
	if s.ended&sending != 0 || s.writable() {
		events |= unix.EPOLLOUT | unix.EPOLLWRNORM
	} else {
		s.out.full = true
	}
	return events
}

// readable reports whether there is more to read than the urgent byte (tcp_stream_is_readable).
func (s *tcp) readable() bool {
	least := uint64(1)
	if s.urgent.state != notUrgent && s.urgent.at == s.consumed && !s.option.inline {
		least = 2
	}
	return s.received-s.consumed >= least
}

// queued returns how many bytes the send buffer contains: those that are not acknowledged.
func (s *tcp) queued() int { return int(s.out.end() - min(s.out.acked, s.out.end())) }

// end returns the number of bytes written, without a FIN.
func (o *outflow) end() uint64 {
	if o.fin {
		return o.written - 1
	}
	return o.written
}

// writable reports whether enough of the send buffer is free (__sk_stream_is_writeable): a third. With
// TCP_NOTSENT_LOWAT, the bytes that are not sent count, too.
func (s *tcp) writable() bool {
	queued := s.queued()
	return queued < s.option.send && s.option.send-queued >= queued>>1 && 2*s.unsentBytes() < s.lowat()
}

// space returns how many bytes the send buffer takes now (sk_stream_memory_free). If the unsent
// bytes reach the limit of TCP_NOTSENT_LOWAT, only the last unsent segment may still be filled up
// (tcp_sendmsg).
func (s *tcp) space() int {
	free := max(0, s.option.send-s.queued())
	if s.unsentBytes() >= s.lowat() {
		free = min(free, s.segmentSpace())
	}
	return free
}

// segmentSpace returns how many more bytes fit into the last segment that is not sent yet.
func (s *tcp) segmentSpace() int {
	const size = 64 << 10 // maximum number of bytes of a segment
	if !s.kernel.coin() {
		return 0
	}
	return size - int(s.unsentBytes()%size)
}

func (s *tcp) unsentBytes() uint64 { return s.out.written - s.out.sent }

func (s *tcp) lowat() uint64 {
	if s.option.lowat == 0 {
		return math.MaxUint32
	}
	return uint64(s.option.lowat)
}

// wakeWriter announces free space in the send buffer, if enough of it is free
// (sk_stream_write_space).
func (s *tcp) wakeWriter() {
	if s.writable() {
		s.out.full = false
		s.wake(spaceReady)
	}
}

// takeError returns the error of the socket and clears it (sock_error).
func (s *tcp) takeError() Errno {
	e := s.err
	s.err = 0
	return e
}

// localName returns the local address. Before the socket has a port, this is the wildcard address
// with port 0 (inet_getname).
func (s *tcp) localName() Address {
	if !s.name.local.IsValid() {
		return Address{IP: netip.AddrPortFrom(s.anyAddress(), 0)}
	}
	return Address{IP: s.name.local}
}

func (s *tcp) peerName() (Address, Errno) {
	if !s.name.remote.IsValid() || s.state == closed || s.state == synSent {
		return Address{}, unix.ENOTCONN
	}
	return Address{IP: s.name.remote}, 0
}

// unsent has the semantics of the ioctl SIOCOUTQ.
func (s *tcp) unsent() (int, Errno) {
	switch s.state {
	case listening:
		return -1, unix.EINVAL
	case synSent, synReceived:
		return 0, 0
	}
	return int(s.out.written - s.out.acked), 0
}

func (s *tcp) info() (Info, Errno) {
	handshaking := s.state == synSent || s.state == synReceived
	return Info{Received: s.received, Queued: uint32(len(s.queue)), Handshaking: handshaking}, 0
}

// names are the addresses of a TCP socket.
type names struct {
	bound         netip.AddrPort // the address of bind; port 0: not bound, or the port was freed, see finish
	chosen        bool           // the caller of bind has asked for this port
	local, remote netip.AddrPort
	tied          bool // local and remote are in the table of connections
}
