package measure

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Machine is the time of all CPUs of the machine together. All values are multiples of 10 ms.
type Machine struct {
	Busy    time.Duration // all time except idle, waiting for disks, and Steal
	SoftIRQ time.Duration // part of Busy in soft interrupts, which handle the network
	Steal   time.Duration // time that the hypervisor gave to other machines
}

// Sub returns the time since the earlier reading before.
func (m Machine) Sub(before Machine) Machine {
	return Machine{m.Busy - before.Busy, m.SoftIRQ - before.SoftIRQ, m.Steal - before.Steal}
}

// ReadMachine reads /proc/stat.
func ReadMachine() (Machine, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Machine{}, err
	}
	return parseMachine(string(text))
}

// parseMachine reads `cpu user nice system idle iowait irq softirq steal ...`.
func parseMachine(text string) (Machine, error) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return Machine{}, fmt.Errorf("%.80q, wanted the first line of /proc/stat", line)
	}
	var at [9]time.Duration
	for i := 1; i < len(at); i++ {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return Machine{}, fmt.Errorf("/proc/stat: %w", err)
		}
		at[i] = time.Duration(n) * tick
	}
	return Machine{Busy: at[1] + at[2] + at[3] + at[6] + at[7], SoftIRQ: at[7], Steal: at[8]}, nil
}

// Describe returns properties of this machine for a report.
func Describe() map[string]any {
	about := map[string]any{
		"cpus": runtime.NumCPU(), "cpu": cpuModel(), "arch": runtime.GOARCH, "go": runtime.Version(),
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		about["kernel"] = unix.ByteSliceToString(name.Release[:])
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		about["memory_mib"] = info.Totalram * uint64(info.Unit) >> 20
	}
	return about
}

func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
