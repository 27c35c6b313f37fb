package measure

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	user, system, err := parseStat("7 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 31 0 0")
	if err != nil || user != 2500*time.Millisecond || system != 310*time.Millisecond {
		t.Errorf("%v %v %v, wanted 2.5s and 310ms", user, system, err)
	}
	for _, bad := range []string{"", "7 (a) S 1", "7 (a) S 1 2 3 4 5 6 7 8 9 10 x y 0"} {
		if _, _, err := parseStat(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

func TestParseMachine(t *testing.T) {
	m, err := parseMachine("cpu  100 10 200 5000 50 1 30 7 0 0\ncpu0 1")
	want := Machine{Busy: 3410 * time.Millisecond, SoftIRQ: 300 * time.Millisecond, Steal: 70 * time.Millisecond}
	if err != nil || m != want {
		t.Errorf("%+v, %v, wanted %+v", m, err, want)
	}
	if _, err := parseMachine("cpu0 1 2"); err == nil {
		t.Error("no error for a line of one cpu")
	}
}

// TestOwnProcess compares the results with the values that this process reads about itself.
func TestOwnProcess(t *testing.T) {
	pids := []int{os.Getpid()}
	before, err := CPUOf(pids)
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 50*time.Millisecond; {
	}
	after, err := CPUOf(pids)
	if used := after.Sub(before).Total; err != nil || used <= 0 {
		t.Errorf("%v used, %v", used, err)
	}
	if held, err := Resident(pids); err != nil || held < 1<<20 {
		t.Errorf("%d bytes resident, %v", held, err)
	}
	if _, err := ReadMachine(); err != nil {
		t.Error(err)
	}
}

func TestTreeHoldsChildren(t *testing.T) {
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = child.Wait() }()
	if all := Tree(os.Getpid()); !slices.Contains(all, child.Process.Pid) {
		t.Errorf("%v lacks the child %d", all, child.Process.Pid)
	}
}

// TestTraceable: a process that is already traced cannot be traced by a second strace.
func TestTraceable(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip(err)
	}
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = child.Wait() }()
	if err := Traceable(child.Process.Pid, t.TempDir()); err != nil {
		t.Skip("no process may be traced here: ", err)
	}
	first, err := Attach([]int{child.Process.Pid}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer first.end()
	if err := Traceable(child.Process.Pid, t.TempDir()); err == nil || !strings.Contains(err.Error(), "strace does not attach") {
		t.Errorf("%v, wanted that strace does not attach", err)
	}
}

func TestMemoryOf(t *testing.T) {
	m := MemoryOf([]int{os.Getpid(), 1 << 30})
	if m.Processes != 1 || m.Resident < m.Proportional || m.Proportional <= 0 {
		t.Errorf("%+v, wanted the memory of this process only", m)
	}
	const rollup = "5600-7fff ---p 00000000 00:00 0 [rollup]\nRss:    20 kB\nPss:    12 kB\nPss_Dirty:     8 kB\n"
	if m := (Memory{1, 2, 3}).add(rollup).add(""); m != (Memory{1 + 20<<10, 2 + 12<<10, 4}) {
		t.Errorf("%+v", m)
	}
}

const summary = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.001         1       300        12 read
 30.00    0.001         1       200           futex
 10.00    0.001         1       100           close
------ ----------- ----------- --------- --------- ----------------
100.00    0.003                 600        12 total
`

func TestSummary(t *testing.T) {
	calls, err := parseSummary(summary)
	if err != nil || calls["read"] != 300 || calls["close"] != 100 {
		t.Fatalf("%v, %v", calls, err)
	}
	if all, io := Count(calls); all != 600 || io != 400 {
		t.Errorf("%d and %d calls, wanted 600 of which 400 for I/O", all, io)
	}
	if _, err := parseSummary("strace: x"); err == nil {
		t.Error("no error for no table")
	}
}
