package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func makeFIFO(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// hole returns a file of this size that takes no space.
func hole(t *testing.T, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hole")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	return path
}

// A pattern file that nobody could read to its end is refused, and takes no memory. The next reload,
// of the mended file, succeeds.
func TestReloadRefusesEndlessPatternFiles(t *testing.T) {
	for name, args := range withAndWithoutMaster {
		t.Run(name, func(t *testing.T) {
			path := config(t, echo(t))
			p := startProc(t, append(args, "-f", path)...)
			for i, c := range []struct{ file, want string }{
				{makeFIFO(t), "is no regular file"},
				{"/dev/zero", "is no regular file"},
				{hole(t, 8<<30), "has 8589934592 bytes or more, wanted at most 1073741824"},
				{hole(t, 1<<30), "line 1 has more than 1048576 bytes, wanted at most 1048576"},
			} {
				rule := "    tcp-request connection reject if { src -f " + c.file + " }\n"
				rewrite(t, path, "    bind fd@3\n", "    bind fd@3\n"+rule)
				p.signal(t, syscall.SIGHUP)
				p.says(t, path+":12: error: ")
				p.says(t, fmt.Sprintf("pattern file '%s': %s", c.file, c.want))
				rewrite(t, path, rule, "")
				p.signal(t, syscall.SIGHUP)
				p.says(t, fmt.Sprintf("reloaded: generation %d, ", i+2))
			}
			mustAsk(t, dial(t, p.addr))
			pids := []int{p.Process.Pid}
			if args != nil {
				pids = append(pids, workerOf(t, p.Process.Pid))
			}
			for _, pid := range pids {
				if kb, err := strconv.Atoi(strings.TrimSuffix(status(t, pid, "VmHWM"), " kB")); err != nil || kb > 300<<10 {
					t.Errorf("process %d had %d kB, %v; want 300 MB at most", pid, kb, err)
				}
			}
		})
	}
}

// A configuration that is a FIFO at a reload is refused, and blocks no later reload.
func TestReloadRefusesAConfigurationThatIsAFIFO(t *testing.T) {
	for name, args := range withAndWithoutMaster {
		t.Run(name, func(t *testing.T) {
			path := config(t, echo(t))
			p := startProc(t, append(args, "-f", path)...)
			if err := os.Rename(path, path+".kept"); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(makeFIFO(t), path); err != nil {
				t.Fatal(err)
			}
			p.signal(t, syscall.SIGHUP)
			p.says(t, "configuration '"+path+"' cannot be read: is no regular file, wanted one: a pipe or device cannot be read again")
			if err := os.Rename(path+".kept", path); err != nil {
				t.Fatal(err)
			}
			p.signal(t, syscall.SIGHUP)
			p.says(t, "reloaded: generation 2, ")
			mustAsk(t, dial(t, p.addr))
		})
	}
}

// The configuration of the start may come from a pipe, as with `-f <(generate)`. It cannot be read
// again.
func TestStartFromAPipe(t *testing.T) {
	for name, args := range withAndWithoutMaster {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(config(t, echo(t)))
			if err != nil {
				t.Fatal(err)
			}
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			p, closeSocket := command(t, append([]string{"run", "-f", "/dev/fd/4"}, args...)...)
			p.ExtraFiles = append(p.ExtraFiles, r)
			if _, err := w.Write(text); err != nil {
				t.Fatal(err)
			}
			w.Close()
			p.begin(t, func() { closeSocket(); r.Close() })
			p.signal(t, syscall.SIGHUP)
			p.says(t, "configuration '/dev/fd/4' cannot be read: ")
			p.says(t, "not reloaded: the old configuration stays in use")
			mustAsk(t, dial(t, p.addr))
		})
	}
}

// A configuration without an end stops the start.
func TestStartRefusesAnEndlessConfiguration(t *testing.T) {
	p, closeSocket := command(t, "run", "-f", "/dev/zero")
	p.refuses(t, closeSocket, "configuration '/dev/zero' cannot be read: line 1 has more than 1048576 bytes, wanted at most 1048576")
}
