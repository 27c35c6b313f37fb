package access

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"sluice/conf"
)

// udp sends each line as one datagram. The socket is not connected. On a connected socket, an ICMP
// error for one line would be reported as the error of the next.
type udp struct {
	conn *net.UDPConn
	to   netip.AddrPort
}

// openUDP resolves the address once and opens the socket.
func openUDP(a conf.Address) (*udp, error) {
	to, err := net.ResolveUDPAddr("udp", hostPort(a))
	if err != nil {
		return nil, err
	}
	network := "udp4"
	if to.IP.To4() == nil {
		network = "udp6"
	}
	conn, err := net.ListenUDP(network, nil)
	if err != nil {
		return nil, err
	}
	ap := to.AddrPort()
	return &udp{conn, netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())}, nil
}

// send never returns an error, so no line is sent again: UDP does not guarantee delivery.
func (u *udp) send(b *batch, fail func(error)) error {
	for !b.empty() {
		line := b.first()
		if _, err := u.conn.WriteToUDPAddrPort(line, u.to); err != nil {
			fail(err)
		}
		b.advance(len(line))
	}
	return nil
}

func (u *udp) close() { u.conn.Close() }

// datagramWait is how long one datagram waits for a UNIX reader with a full queue. It must be shorter
// than the time that Close may take.
const datagramWait = 200 * time.Millisecond

// unixgram sends each line as one datagram to a UNIX socket, such as /dev/log. It connects again
// after the reader was restarted.
type unixgram struct {
	name string
	conn *net.UnixConn // nil: not connected
}

// openUnix tries to connect. A missing reader is no error, as in HAProxy: each line tries to
// connect again.
func openUnix(name string) *unixgram {
	u := &unixgram{name: name}
	_ = u.connect()
	return u
}

func (u *unixgram) connect() error {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: u.name, Net: "unixgram"})
	u.conn = conn
	return err
}

func (u *unixgram) send(b *batch, fail func(error)) error {
	for !b.empty() {
		line := b.first()
		err := u.write(line)
		switch {
		case errors.Is(err, syscall.EMSGSIZE):
			fail(fmt.Errorf("a line of %d bytes: %w", len(line), err))
		case err != nil:
			return err
		}
		b.advance(len(line))
	}
	return nil
}

// write sends one datagram. It opens a new connection if the reader of the old one is gone.
func (u *unixgram) write(line []byte) error {
	if u.conn != nil {
		err := u.try(line)
		if !readerGone(err) {
			return err
		}
		u.close()
	}
	if err := u.connect(); err != nil {
		return err
	}
	return u.try(line)
}

func (u *unixgram) try(line []byte) error {
	if err := u.conn.SetWriteDeadline(time.Now().Add(datagramWait)); err != nil {
		return err
	}
	_, err := u.conn.Write(line)
	return err
}

// readerGone reports whether an error means that this socket has no reader any more.
func readerGone(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.ENOTCONN)
}

func (u *unixgram) close() {
	if u.conn != nil {
		u.conn.Close()
		u.conn = nil
	}
}
