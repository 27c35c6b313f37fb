package sock

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// defaultMode returns the permissions that the kernel gives the file of a new UNIX socket. It reads
// the umask from /proc, because umask(2) can only replace it, for all threads.
func defaultMode() (uint32, error) {
	const file = "/proc/self/status"
	status, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "\nUmask:")
	text, _, _ := strings.Cut(rest, "\n")
	umask, err := strconv.ParseUint(strings.TrimSpace(text), 8, 32)
	if err != nil {
		return 0, fmt.Errorf("%s: umask %q, wanted an octal number", file, text)
	}
	return 0o777 &^ uint32(umask), nil
}

// defaultGroup returns the group of a new file at path. In a directory with the set-group-ID bit, this
// is the group of the directory.
func defaultGroup(path string) int {
	var dir unix.Stat_t
	if err := unix.Stat(filepath.Dir(path), &dir); err == nil && dir.Mode&unix.S_ISGID != 0 {
		return int(dir.Gid)
	}
	return os.Getegid()
}
