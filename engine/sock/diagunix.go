//go:build !simulation

package sock

import (
	"encoding/binary"
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The layout of linux/unix_diag.h.
type diagUnixRequest struct { // unix_diag_req
	family, protocol uint8
	_                uint16
	states           uint32
	inode            uint32
	show             uint32
	cookie           [2]uint32
}

const (
	diagShowQueue = 0x10       // UDIAG_SHOW_RQLEN
	diagQueue     = 4          // UNIX_DIAG_RQLEN; of a listening socket, the first number is the queue's length
	diagNoCookie  = 0xffffffff // INET_DIAG_NOCOOKIE

	diagUnixAnswer = 16 // length of unix_diag_msg, which the attributes follow
)

// rawUnixQueue asks the kernel by netlink (sock_diag(7)) for the length of the accept queue of a
// listening UNIX socket. It does not block.
func rawUnixQueue(fd int) (n int, known bool) {
	inode, open := rawInode(fd)
	if !open {
		return 0, false
	}
	netlink, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, false
	}
	defer Close(netlink)
	request := struct {
		head unix.NlMsghdr
		diag diagUnixRequest
	}{
		unix.NlMsghdr{Type: unix.SOCK_DIAG_BY_FAMILY, Flags: unix.NLM_F_REQUEST},
		diagUnixRequest{family: unix.AF_UNIX, inode: uint32(inode), show: diagShowQueue, cookie: [2]uint32{diagNoCookie, diagNoCookie}},
	}
	request.head.Len = uint32(unsafe.Sizeof(request))
	text := unsafe.Slice((*byte)(unsafe.Pointer(&request)), unsafe.Sizeof(request))
	if unix.Sendto(netlink, text, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return 0, false
	}
	return readUnixQueue(netlink)
}

// readUnixQueue reads the answer, which the kernel has made during the call of sendto.
func readUnixQueue(netlink int) (n int, known bool) {
	var buffer [1024]byte
	size, _, err := unix.Recvfrom(netlink, buffer[:], unix.MSG_DONTWAIT)
	for errors.Is(err, unix.EINTR) {
		size, _, err = unix.Recvfrom(netlink, buffer[:], unix.MSG_DONTWAIT)
	}
	if err != nil {
		return 0, false
	}
	messages, err := syscall.ParseNetlinkMessage(buffer[:size])
	if err != nil || len(messages) == 0 || messages[0].Header.Type != unix.SOCK_DIAG_BY_FAMILY {
		return 0, false
	}
	return unixQueueIn(messages[0].Data)
}

// unixQueueIn returns the length of the queue that an answer contains.
func unixQueueIn(data []byte) (n int, known bool) {
	for kind, value := range attributes(data, diagUnixAnswer) {
		if kind == diagQueue && len(value) >= 4 {
			return int(binary.NativeEndian.Uint32(value)), true
		}
	}
	return 0, false
}
