package measure

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
)

var rss = regexp.MustCompile(`(?m)^(?:Rss|VmRSS):\s+(\d+) kB$`)

// Resident returns the bytes of memory of the processes that are in RAM. What
// the kernel keeps for them (socket buffers, pipes) is not in it.
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

// resident prefers smaps_rollup: the count in status may be behind by some
// pages for each thread.
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
