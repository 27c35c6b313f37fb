package measure

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
)

var rss = regexp.MustCompile(`(?m)^(?:Rss|VmRSS):\s+(\d+) kB$`)

// Resident returns the memory of the processes that is in RAM, in bytes. It does not include
// memory that the kernel uses for them (socket buffers, pipes).
func Resident(pids []int) (int64, error) {
	var sum int64
	for _, pid := range pids {
		one, err := resident(pid)
		if err != nil {
			return sum, fmt.Errorf("memory of process %d: %w", pid, err)
		}
		sum += one
	}
	return sum, nil
}

// resident reads smaps_rollup if possible, because the value in status may miss some pages per
// thread.
func resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		text, err = os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	}
	if err != nil {
		return 0, err
	}
	m := rss.FindSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("no Rss in %.80q", text)
	}
	kib, err := strconv.ParseInt(string(m[1]), 10, 64)
	return kib << 10, err
}
