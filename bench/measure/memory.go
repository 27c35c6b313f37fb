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

// Memory is the memory of several processes, in bytes. Like Resident it does not include memory
// that the kernel uses for them.
type Memory struct {
	Resident     int64 // pages that processes share are counted once for each of them (RSS)
	Proportional int64 // pages that processes share are divided among them (PSS)
	Processes    int
}

var pss = regexp.MustCompile(`(?m)^Pss:\s+(\d+) kB$`)

// MemoryOf returns the memory of those processes that have not ended.
func MemoryOf(pids []int) Memory {
	var sum Memory
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue
		}
		sum = sum.add(string(text))
	}
	return sum
}

// add adds the memory of a process by its file smaps_rollup. The file is empty if the process has
// ended.
func (m Memory) add(rollup string) Memory {
	all, shared := rss.FindStringSubmatch(rollup), pss.FindStringSubmatch(rollup)
	if all == nil || shared == nil {
		return m
	}
	resident, errAll := strconv.ParseInt(all[1], 10, 64)
	proportional, errShared := strconv.ParseInt(shared[1], 10, 64)
	if errAll != nil || errShared != nil {
		return m
	}
	return Memory{m.Resident + resident<<10, m.Proportional + proportional<<10, m.Processes + 1}
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
