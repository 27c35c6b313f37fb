package kernel

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// handshake is the part of a connection's state that is needed until it is established.
type handshake struct {
	syn, synAck, ack bool   // this packet of the socket is in the network
	parent           *tcp   // the listening socket of a connection's server end; nil: a client end
	fast             bool   // the SYN carried bytes (TCP Fast Open): reading and writing work before the handshake ends
	early            int    // number of bytes in the SYN; 0: none
	tries            int    // number of retransmissions that were scheduled
	retry            *timer // timer of the next retransmission; nil: none
}

const (
	steadyTries = 5  // retransmissions of a SYN after 1 s each: tcp_syn_linear_timeouts + 1
	mostTries   = 10 // all retransmissions of a SYN: tcp_syn_linear_timeouts + tcp_syn_retries
	ackTries    = 5  // retransmissions at a full accept queue: tcp_synack_retries

	fastClients, fastServers = 1, 2 // bits of Options.FastOpen
)

// connect has the semantics of the kernel function __inet_stream_connect.
func (s *tcp) connect(to Address) Errno {
	e := unix.EALREADY
	switch {
	case s.attachment == disconnecting:
		return unix.EINVAL
	case s.attachment == connected, s.attachment == unconnected && s.state != closed:
		return unix.EISCONN
	case s.attachment == unconnected:
		if e := s.start(to); e != 0 {
			return e
		}
		e = unix.EINPROGRESS
	}
	switch s.state {
	case synSent:
		return e
	case closed:
		e = s.takeError()
		s.disconnect()
		if e == 0 {
			e = unix.ECONNABORTED
		}
		return e
	}
	s.attachment = connected
	return 0
}

// mayFail reports whether a fault may give the error e to call c (see socket). A connection that
// was started cannot fail to start. For ECONNABORTED of accept, mayFail ends the connection that
// accept would return.
func (s *tcp) mayFail(c Call, e Errno) bool {
	switch {
	case c == CallConnect:
		return e == unix.EINTR || s.attachment == unconnected && s.state == closed
	case c == CallAccept && e == unix.ECONNABORTED:
		if len(s.queue) == 0 {
			return false
		}
		s.expel(s.dequeue())
		s.kernel.settle()
	}
	return true
}

// start begins a connection: it chooses the local address and sends a SYN.
func (s *tcp) start(to Address) Errno {
	at := target(to.IP)
	if !at.IsValid() || at.Addr().Is6() && !s.option.six {
		return unix.EAFNOSUPPORT
	}
	if e := s.kernel.dial(s, at); e != 0 {
		return e
	}
	s.attachment, s.state = connecting, synSent
	s.err, s.done = 0, false
	s.shake.syn = true
	s.kernel.touch(s)
	return 0
}

// connectWith has the semantics of the kernel function tcp_sendmsg_fastopen. The bytes go with the
// SYN if the client knows the Fast Open cookie of the server, but not always: the random source
// decides.
func (s *tcp) connectWith(b []byte, to Address) (int, Errno) {
	k := s.kernel
	if k.FastOpen&fastClients == 0 {
		return -1, unix.EOPNOTSUPP
	}
	switch e := s.connect(to); e {
	case unix.EINPROGRESS:
	case 0: // it was established before
		return s.send(b, 0, Address{})
	default:
		return -1, e
	}
	known := slices.Contains(k.net.cookies, s.name.remote.Addr()) && k.coin()
	if !known || len(b) == 0 {
		return -1, unix.EINPROGRESS
	}
	n := k.some(min(len(b), s.option.send))
	s.out.push(&k.net.pool, b[:n])
	s.out.written = uint64(n)
	s.shake.early = n
	return n, 0
}

// arriveSYN lets the SYN reach the server. Without a listening socket the answer is a RST. A SYN to
// a full accept queue, to a filter, or to an address that Blackhole was called for, is lost.
func (s *tcp) arriveSYN() {
	s.shake.syn = false
	if s.kernel.isHole(s.name.remote) {
		s.reaches("SYN, which is lost")
		s.retrySYN()
		return
	}
	switch l := s.kernel.listener(s.name.remote); {
	case l == nil:
		s.reaches("SYN, which is refused: nobody listens")
		s.arriveReset()
	case l.option.filtered:
		s.reaches("SYN, which is lost: a filter drops it")
		s.retrySYN()
	case l.isFull():
		s.reaches("SYN, which is lost: the accept queue is full")
		s.retrySYN()
	default:
		l.greet(s)
	}
}

// greet creates the server's end of a connection, after the SYN of a client has reached the
// listening socket l.
func (l *tcp) greet(client *tcp) {
	k := l.kernel
	s := k.newTCP(l.option.six)
	inherited := l.option
	if !inherited.sized {
		inherited.send, inherited.receive = s.option.send, s.option.receive
	}
	s.option = inherited
	s.state, s.attachment = synReceived, connected
	s.name.local, s.name.remote = client.name.remote, client.name.local
	s.peer, client.peer = client, s
	s.shake = handshake{synAck: true, parent: l}
	if n := client.shake.early; n > 0 && l.fastOpen() && k.coin() {
		s.shake.fast = true
		client.out.sent = uint64(n)
		client.bytesReach(n)
		client.put(s, n)
		l.enqueue(s)
	}
	k.touch(s)
}

// fastOpen reports whether a listening socket accepts bytes in the SYN.
func (l *tcp) fastOpen() bool { return l.option.fast > 0 && l.kernel.FastOpen&fastServers != 0 }

// arriveSYNACK lets the SYN-ACK of a new connection reach the client.
func (s *tcp) arriveSYNACK() {
	s.shake.synAck = false
	client := s.peer
	if client.state != synSent {
		client.answerReset()
		return
	}
	s.reaches("SYN-ACK")
	client.state = established
	client.shake.ack = true
	client.acknowledged(s.received)
	s.kernel.learn(s)
	client.wake(anyEvent)
}

// learn stores that the Fast Open cookie of a server is known, because its SYN-ACK has brought the
// cookie to the client.
func (k *Kernel) learn(s *tcp) {
	server := s.name.local.Addr()
	if s.shake.parent.fastOpen() && !slices.Contains(k.net.cookies, server) {
		k.net.cookies = append(k.net.cookies, server)
	}
}

// arriveACK lets the last packet of the handshake reach the server. It is lost if the accept queue is
// full.
func (s *tcp) arriveACK() {
	s.shake.ack = false
	server := s.peer
	l := server.shake.parent
	switch {
	case server.state != synReceived:
	case server.shake.fast:
		server.state = established
		server.wake(anyEvent)
	case l.state != listening:
		server.orphan = true
		server.abort()
	case l.isFull():
		server.retryACK()
	default:
		server.state = established
		l.enqueue(server)
	}
}

// retrySYN sends the SYN again later, or gives up with ETIMEDOUT.
func (s *tcp) retrySYN() {
	if s.shake.tries == mostTries {
		s.again(retryTime(s.shake.tries-steadyTries+1), func() { s.fail(unix.ETIMEDOUT) })
		return
	}
	s.again(retryTime(s.shake.tries-steadyTries+1), func() {
		s.shake.syn = true
		s.kernel.touch(s)
	})
}

// retryACK makes the client repeat the last packet of the handshake later. After ackTries
// repetitions without space in the accept queue, the server's end is closed.
func (s *tcp) retryACK() {
	s.again(retryTime(s.shake.tries), func() {
		if s.shake.tries > ackTries {
			s.orphan = true
			s.finish()
		} else {
			s.peer.shake.ack = true
		}
		s.kernel.touch(s)
		s.kernel.touch(s.peer)
	})
}

// retryTime returns the time until the next retransmission: 1 s, doubled the given number of times.
// A negative number counts as 0.
func retryTime(doubled int) time.Duration { return time.Second << max(0, doubled) }

// again counts a retransmission, and calls do after d.
func (s *tcp) again(d time.Duration, do func()) {
	s.shake.tries++
	s.shake.retry = s.kernel.timers.add(s.kernel.now+d, do)
}

func (s *tcp) stopRetry() {
	if s.shake.retry != nil {
		s.kernel.timers.stop(s.shake.retry)
		s.shake.retry = nil
	}
}
