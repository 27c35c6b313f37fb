package reserve

import (
	"fmt"
	"reflect"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Array is an array outside the Go heap, made by New. Its entries are zero values at first. The
// zero Array has no entries.
type Array[T any] struct {
	memory []byte
	all    []T
}

// New reserves an array of this many entries. It panics if T holds a pointer. It fails if the
// kernel does not give the address space.
func New[T any](entries int) (Array[T], error) {
	of := reflect.TypeFor[T]()
	if found := Pointers(of); found != nil {
		panic(fmt.Sprintf("the garbage collector would not see that %s", found[0]))
	}
	memory, err := unix.Mmap(-1, 0, int(of.Size())*entries, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return Array[T]{}, err
	}
	// A huge page would use all its memory as soon as one entry is touched.
	_ = unix.Madvise(memory, unix.MADV_NOHUGEPAGE)
	return Array[T]{memory, unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(memory))), entries)}, nil
}

// At returns the entry with a number from 0 to Len()-1.
func (a *Array[T]) At(i int32) *T { return &a.all[i] }

// Len returns the number of entries.
func (a *Array[T]) Len() int { return len(a.all) }

// Close gives the memory back to the kernel. The array has no entries any more, and pointers from
// At are invalid.
func (a *Array[T]) Close() {
	if a.memory != nil {
		_ = unix.Munmap(a.memory)
	}
	*a = Array[T]{}
}

// Pointers returns the paths to all parts of a type that the garbage collector would have to
// follow.
func Pointers(of reflect.Type) []string { return pointers(of.String(), of) }

func pointers(path string, of reflect.Type) (found []string) {
	switch of.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return nil
	case reflect.Array:
		return pointers(path+"[]", of.Elem())
	case reflect.Struct:
		for f := range of.Fields() {
			found = append(found, pointers(path+"."+f.Name, f.Type)...)
		}
		return found
	}
	return []string{fmt.Sprintf("%s is a %s", path, of.Kind())}
}
