package measure

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of times in /proc (USER_HZ). It is 100 per second on all platforms that Go
// supports.
const tick = 10 * time.Millisecond

// CPU is the CPU time of one or more processes.
type CPU struct {
	Total  time.Duration
	User   time.Duration // multiple of 10 ms
	System time.Duration // multiple of 10 ms
}

// Sub returns the time used since the earlier reading before.
func (c CPU) Sub(before CPU) CPU {
	return CPU{c.Total - before.Total, c.User - before.User, c.System - before.System}
}

// Tree returns the process and all its descendants.
func Tree(pid int) []int {
	all := []int{pid}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range tasks {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, Tree(child)...)
			}
		}
	}
	return all
}

// CPUOf returns the sum of the CPU time that the processes have used since their start. Threads
// that have ended are included.
func CPUOf(pids []int) (CPU, error) {
	var sum CPU
	for _, pid := range pids {
		one, err := cpuOf(pid)
		if err != nil {
			return sum, fmt.Errorf("cpu time of process %d: %w", pid, err)
		}
		sum = CPU{sum.Total + one.Total, sum.User + one.User, sum.System + one.System}
	}
	return sum, nil
}

func cpuOf(pid int) (CPU, error) {
	var c CPU
	var now unix.Timespec
	if err := unix.ClockGettime(clockOf(pid), &now); err != nil {
		return c, err
	}
	c.Total = time.Duration(now.Nano())
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return c, err
	}
	c.User, c.System, err = parseStat(string(text))
	return c, err
}

// clockOf returns the number of another process's CPU clock, as clock_getcpuclockid(3) does.
func clockOf(pid int) int32 {
	const sched = 2
	return int32(^pid<<3 | sched)
}

// parseStat reads fields 14 and 15 of /proc/PID/stat. The second field is a name in
// parentheses, which may contain spaces and parentheses.
func parseStat(text string) (user, system time.Duration, err error) {
	_, rest, found := cutLast(text, ')')
	fields := strings.Fields(rest)
	if !found || len(fields) < 13 {
		return 0, 0, fmt.Errorf("%.80q, wanted the fields of /proc/PID/stat", text)
	}
	u, errU := strconv.ParseInt(fields[11], 10, 64)
	s, errS := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(u) * tick, time.Duration(s) * tick, errors.Join(errU, errS)
}

// cutLast divides s at the last sep.
func cutLast(s string, sep byte) (before, after string, found bool) {
	at := strings.LastIndexByte(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+1:], true
}
