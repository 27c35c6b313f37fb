//go:build !simulation

package sock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The layout of linux/inet_diag.h.
type (
	diagSocket struct {
		sport, dport [2]byte // network byte order
		src, dst     [16]byte
		device       uint32
		cookie       [2]uint32
	}
	diagRequest struct { // inet_diag_req_v2
		family, protocol, extensions, _ uint8
		states                          uint32
		id                              diagSocket
	}
	diagAnswer struct { // inet_diag_msg
		family, state, timer, retransmits uint8
		id                                diagSocket
		expires, in, out, uid, inode      uint32
	}
)

const (
	tcpListen  = 10 // TCP_LISTEN
	diagV6Only = 11 // INET_DIAG_SKV6ONLY, one byte
)

// rawListeningOn asks the kernel by netlink (sock_diag(7)). This needs neither privileges nor /proc.
func rawListeningOn(port uint16) (all []Listening, err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	defer func() { _ = unix.Close(fd) }()
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		if err := askListening(fd, family, port); err != nil {
			return nil, err
		}
		if all, err = readListening(fd, all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// askListening asks for the sockets of one address family.
func askListening(fd int, family uint8, port uint16) error {
	request := struct {
		head unix.NlMsghdr
		diag diagRequest
	}{
		unix.NlMsghdr{Type: unix.SOCK_DIAG_BY_FAMILY, Flags: unix.NLM_F_REQUEST | unix.NLM_F_DUMP},
		diagRequest{family: family, protocol: unix.IPPROTO_TCP, states: 1 << tcpListen},
	}
	request.head.Len = uint32(unsafe.Sizeof(request))
	binary.BigEndian.PutUint16(request.diag.id.sport[:], port)
	text := unsafe.Slice((*byte)(unsafe.Pointer(&request)), unsafe.Sizeof(request))
	return os.NewSyscallError("sendto", unix.Sendto(fd, text, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
}

// readListening reads the answer up to its end, and appends the sockets to all.
func readListening(fd int, all []Listening) ([]Listening, error) {
	buffer := make([]byte, 32<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buffer, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, os.NewSyscallError("recvfrom", err)
		}
		messages, err := syscall.ParseNetlinkMessage(buffer[:n])
		if err != nil {
			return nil, fmt.Errorf("sock_diag: %w", err)
		}
		for i := range messages {
			switch m := &messages[i]; m.Header.Type {
			case unix.NLMSG_DONE:
				return all, nil
			case unix.NLMSG_ERROR:
				return nil, fmt.Errorf("sock_diag: %w", diagError(m.Data))
			default:
				all = appendListening(all, m)
			}
		}
	}
}

// diagError returns the error of a message of the type NLMSG_ERROR.
func diagError(data []byte) error {
	if len(data) < 4 {
		return unix.EINVAL
	}
	return Errno(-int32(binary.NativeEndian.Uint32(data)))
}

func appendListening(all []Listening, m *syscall.NetlinkMessage) []Listening {
	size := int(unsafe.Sizeof(diagAnswer{}))
	if len(m.Data) < size {
		return all
	}
	answer := (*diagAnswer)(unsafe.Pointer(unsafe.SliceData(m.Data)))
	ip := netip.AddrFrom16(answer.id.src)
	if answer.family == unix.AF_INET {
		ip = netip.AddrFrom4([4]byte(answer.id.src[:4]))
	}
	one := Listening{Addr: netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(answer.id.sport[:])), Inode: uint64(answer.inode)}
	for kind, value := range attributes(m.Data, size) {
		if kind == diagV6Only && len(value) > 0 {
			one.V6Only = value[0] != 0
		}
	}
	return append(all, one)
}

// attributes returns the kinds and values of the attributes that follow a header of this size.
func attributes(data []byte, header int) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for rest := data[min(header, len(data)):]; len(rest) >= unix.SizeofRtAttr; {
			length, kind := int(binary.NativeEndian.Uint16(rest)), binary.NativeEndian.Uint16(rest[2:])
			if length < unix.SizeofRtAttr || length > len(rest) || !yield(kind, rest[unix.SizeofRtAttr:length]) {
				return
			}
			rest = rest[min((length+3)&^3, len(rest)):]
		}
	}
}
