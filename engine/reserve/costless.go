package reserve

import (
	"bytes"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// Costless reports whether reserved address space that is never used costs nothing. It is not free
// if the process has a limit on address space (RLIMIT_AS, RLIMIT_DATA). Nor is it free if the
// kernel promises no more memory than it has (vm.overcommit_memory is 2). A large reservation would
// then leave little memory for other purposes.
func Costless() bool {
	for _, which := range []int{unix.RLIMIT_AS, unix.RLIMIT_DATA} {
		var limit unix.Rlimit
		if unix.Getrlimit(which, &limit) != nil || limit.Cur != math.MaxUint64 {
			return false
		}
	}
	mode, err := os.ReadFile("/proc/sys/vm/overcommit_memory")
	return err == nil && costless(mode)
}

// costless reports whether the content of vm.overcommit_memory is a mode in which address space
// does not count as used memory: 0 or 1.
func costless(mode []byte) bool { return !bytes.HasPrefix(mode, []byte("2")) }
