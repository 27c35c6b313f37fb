package kernel

import "golang.org/x/sys/unix"

// options are the options of a TCP socket. A connection inherits those of its listening socket.
type options struct {
	six           bool // the family is AF_INET6
	only6         bool // IPV6_V6ONLY
	reuseAddress  bool
	reusePort     bool
	inline        bool // SO_OOBINLINE
	abortive      bool // SO_LINGER with 0 s
	send, receive int  // sizes of the buffers in bytes
	sized         bool // SO_SNDBUF or SO_RCVBUF was set
	lowat         int  // TCP_NOTSENT_LOWAT in bytes; 0: no limit
	fast          int  // TCP_FASTOPEN, a queue length of which only 0 (off) matters
	filtered      bool // SO_ATTACH_FILTER: drops each SYN
	elsewhere     bool // SO_BINDTOIFINDEX with an interface that does not exist: gets no SYN
}

func (s *tcp) setOption(level, name, value int) Errno {
	switch level {
	case unix.SOL_SOCKET:
		s.setSocketOption(name, value)
	case unix.IPPROTO_IPV6:
		if name == unix.IPV6_V6ONLY {
			s.option.only6 = value != 0
		}
	case unix.IPPROTO_TCP:
		s.setTCPOption(name, value)
	}
	return 0
}

func (s *tcp) setSocketOption(name, value int) {
	o := &s.option
	switch name {
	case unix.SO_REUSEADDR:
		o.reuseAddress = value != 0
	case unix.SO_REUSEPORT:
		o.reusePort = value != 0
	case unix.SO_OOBINLINE:
		o.inline = value != 0
	case unix.SO_LINGER:
		o.abortive = value == 0
	case unix.SO_ATTACH_FILTER:
		o.filtered = true
	case unix.SO_BINDTOIFINDEX:
		o.elsewhere = value != 0
	case unix.SO_SNDBUF:
		o.sized = true
		o.send = max(1, value)
		s.wakeWriter()
	case unix.SO_RCVBUF:
		o.sized = true
		o.receive = max(1, value)
		s.drained()
	}
}

func (s *tcp) setTCPOption(name, value int) {
	switch name {
	case unix.TCP_NOTSENT_LOWAT:
		s.option.lowat = max(0, value)
		s.wakeWriter()
	case unix.TCP_FASTOPEN:
		s.option.fast = value
	}
}
