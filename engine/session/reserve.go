package session

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Reserve is an array outside the Go heap. It reserves address space for the maximum number of
// entries; only pages that were touched use memory. The garbage collector does not see the
// array, so its entries must hold no pointers.
type Reserve[T any] struct {
	memory []byte
	all    []T
}

func NewReserve[T any](entries int) (Reserve[T], error) {
	var one T
	memory, err := unix.Mmap(-1, 0, int(unsafe.Sizeof(one))*entries, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return Reserve[T]{}, err
	}
	// A huge page would use all its memory as soon as one entry is touched.
	_ = unix.Madvise(memory, unix.MADV_NOHUGEPAGE)
	return Reserve[T]{memory, unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(memory))), entries)}, nil
}

func (r *Reserve[T]) At(id int32) *T { return &r.all[id] }

func (r *Reserve[T]) Close() {
	if r.memory != nil {
		_ = unix.Munmap(r.memory)
	}
}
