package engine

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// reserve is an array outside the Go heap: address space for the most entries
// there can be, resident only as far as it was ever touched, and invisible to
// the garbage collector, so that its entries must hold no pointers.
type reserve[T any] struct {
	memory []byte
	all    []T
}

func newReserve[T any](entries int) (reserve[T], error) {
	var one T
	memory, err := unix.Mmap(-1, 0, int(unsafe.Sizeof(one))*entries, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return reserve[T]{}, err
	}
	// A huge page would be resident for its first entry already.
	_ = unix.Madvise(memory, unix.MADV_NOHUGEPAGE)
	return reserve[T]{memory, unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(memory))), entries)}, nil
}

func (r *reserve[T]) at(id int32) *T { return &r.all[id] }

func (r *reserve[T]) close() {
	if r.memory != nil {
		_ = unix.Munmap(r.memory)
	}
}
