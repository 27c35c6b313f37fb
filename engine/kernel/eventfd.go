package kernel

import (
	"encoding/binary"
	"math"

	"golang.org/x/sys/unix"
)

// eventfd is a counter (eventfd(2)).
type eventfd struct {
	references
	count uint64
}

// counterSize is the number of bytes of a counter that is read or written.
const counterSize = 8

// Eventfd opens a non-blocking eventfd with count 0.
func (p *Process) Eventfd() (int, Errno) {
	return p.open(CallEvent, &eventfd{})
}

// poll has the semantics of the kernel function eventfd_poll.
func (f *eventfd) poll() (events uint32) {
	if f.count > 0 {
		events |= unix.EPOLLIN
	}
	if f.count < math.MaxUint64-1 {
		events |= unix.EPOLLOUT
	}
	return events
}

func (f *eventfd) release() {}

// read returns the count and sets it to 0 (eventfd_read).
func (f *eventfd) read(b []byte) (int, Errno) {
	if len(b) < counterSize {
		return -1, unix.EINVAL
	}
	if f.count == 0 {
		return -1, unix.EAGAIN
	}
	binary.NativeEndian.PutUint64(b, f.count)
	f.count = 0
	f.wake(unix.EPOLLOUT)
	return counterSize, 0
}

// write adds to the count (eventfd_write). EAGAIN means that the sum is too large.
func (f *eventfd) write(b []byte) (int, Errno) {
	if len(b) != counterSize {
		return -1, unix.EINVAL
	}
	n := binary.NativeEndian.Uint64(b)
	if n == math.MaxUint64 {
		return -1, unix.EINVAL
	}
	if math.MaxUint64-f.count <= n {
		return -1, unix.EAGAIN
	}
	f.count += n
	f.wake(unix.EPOLLIN)
	return counterSize, 0
}
