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

// Trace is a strace that counts the calls of processes. It makes them many
// times slower: nothing is timed while it runs.
type Trace struct {
	strace  *exec.Cmd
	file    string
	drained chan struct{}
}

// Attach returns once strace follows the processes and all their threads.
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

// Traceable says why strace can't follow a process, if so.
func Traceable(pid int, dir string) error {
	t, err := Attach([]int{pid}, dir)
	if err != nil {
		return err
	}
	t.end()
	return nil
}

func (t *Trace) end() {
	_ = t.strace.Process.Signal(os.Interrupt)
	<-t.drained
	_ = t.strace.Wait() // ended by our signal
}

// Calls ends the trace and returns how often each system call was made.
func (t *Trace) Calls() (map[string]int64, error) {
	t.end()
	text, err := os.ReadFile(t.file)
	if err != nil {
		return nil, fmt.Errorf("strace's summary: %w", err)
	}
	return parseSummary(string(text))
}

// parseSummary reads the table of strace -c, whose columns are
// `% time, seconds, usecs/call, calls, errors (or nothing), syscall`.
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

// waits are the calls by which threads wait for each other or are scheduled.
// They depend on how busy a machine is, not on what is relayed.
var waits = map[string]bool{
	"futex": true, "nanosleep": true, "clock_nanosleep": true, "sched_yield": true,
	"tgkill": true, "getpid": true, "rt_sigreturn": true, "restart_syscall": true,
}

// Count adds up the calls: all of them, and those for I/O, without the threads'
// own (futex and the like).
func Count(calls map[string]int64) (all, io int64) {
	for name, n := range calls {
		all += n
		if !waits[name] {
			io += n
		}
	}
	return all, io
}
