package measure

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Trace is a running strace that counts the system calls of processes. strace makes them many
// times slower, so nothing may be timed at the same time.
type Trace struct {
	strace  *exec.Cmd
	file    string        // the summary that strace writes at its end
	drained chan struct{} // closed when strace has closed its standard error
}

// Attach starts strace and returns when it traces the processes and all their threads. dir is
// the directory for its output.
func Attach(pids []int, dir string) (*Trace, error) {
	t := &Trace{file: filepath.Join(dir, "strace"), drained: make(chan struct{})}
	args := []string{"-f", "-c", "-o", t.file}
	for _, pid := range pids {
		args = append(args, "-p", strconv.Itoa(pid))
	}
	t.strace = exec.Command("strace", args...)
	said, err := t.strace.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := t.strace.Start(); err != nil {
		return nil, fmt.Errorf("strace: %w", err)
	}
	lines := bufio.NewReader(said)
	for range pids {
		line, err := lines.ReadString('\n')
		if err != nil || !strings.Contains(line, "attached") {
			_ = t.strace.Process.Kill()
			_ = t.strace.Wait()
			return nil, fmt.Errorf("strace does not attach: %.120s", strings.TrimSpace(line))
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		close(t.drained)
	}()
	return t, nil
}

// Traceable returns an error with the reason if strace cannot trace the process.
func Traceable(pid int, dir string) error {
	t, err := Attach([]int{pid}, dir)
	if err != nil {
		return err
	}
	t.end()
	return nil
}

// end makes strace write its summary, and waits until it ends.
func (t *Trace) end() {
	_ = t.strace.Process.Signal(os.Interrupt)
	<-t.drained
	_ = t.strace.Wait() // ended by our signal
}

// Calls ends the trace. It returns the number of calls by name of the system call.
func (t *Trace) Calls() (map[string]int64, error) {
	t.end()
	text, err := os.ReadFile(t.file)
	if err != nil {
		return nil, fmt.Errorf("strace's summary: %w", err)
	}
	return parseSummary(string(text))
}

// parseSummary reads the table of strace -c. Its columns are `% time, seconds, usecs/call,
// calls, errors (may be empty), syscall`.
func parseSummary(text string) (map[string]int64, error) {
	calls := map[string]int64{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 5 || fields[len(fields)-1] == "total" {
			continue
		}
		if n, err := strconv.ParseInt(fields[3], 10, 64); err == nil {
			calls[fields[len(fields)-1]] += n
		}
	}
	if len(calls) == 0 {
		return nil, fmt.Errorf("no calls in strace's summary %.80q", text)
	}
	return calls, nil
}

// waits are the system calls by which threads wait for each other or are scheduled. Their
// number depends on the load of the machine, not on the relayed bytes.
var waits = map[string]bool{
	"futex": true, "nanosleep": true, "clock_nanosleep": true, "sched_yield": true,
	"tgkill": true, "getpid": true, "rt_sigreturn": true, "restart_syscall": true,
}

// Count returns two sums: all calls, and the calls for I/O, which are all except those in
// waits.
func Count(calls map[string]int64) (all, io int64) {
	for name, n := range calls {
		all += n
		if !waits[name] {
			io += n
		}
	}
	return all, io
}
