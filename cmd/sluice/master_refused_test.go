package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// visitor connects to an address again and again. It counts the attempts that are refused, and those
// that are not.
type visitor struct {
	over    atomic.Bool
	clients sync.WaitGroup
	refused atomic.Int64
	let     atomic.Int64
}

func visit(to string) *visitor {
	v := &visitor{}
	for range 2 {
		v.clients.Go(func() {
			for !v.over.Load() {
				conn, err := net.Dial("tcp", to)
				if errors.Is(err, syscall.ECONNREFUSED) {
					v.refused.Add(1)
					continue
				}
				v.let.Add(1)
				if err == nil {
					conn.Close()
				}
			}
		})
	}
	return v
}

// A bundle that the worker refuses lets nobody connect to the sockets that the master has bound for
// it. The worker refuses what its descriptors do not suffice for, by its plan or when they arrive.
func TestRefusedBundleLetsNobodyIn(t *testing.T) {
	_, port, _ := net.SplitHostPort(freeAddress(t))
	to := "127.0.0.9:" + port // clients have another address, so none is connected to itself
	for name, c := range map[string]struct {
		global, refusal string
		short           bool // of descriptors
	}{
		"plan":        {"maxconn 1000000", "maxconn 1000000 does not fit", false},
		"descriptors": {"maxconn 100", "is the limit of open files used up?", true},
	} {
		t.Run(name, func(t *testing.T) {
			file, path := config(t, echo(t)), filepath.Join(t.TempDir(), "more")
			p := startProc(t, "-W", "-f", file)
			rewrite(t, file, "    bind fd@3", "    bind fd@3\n    bind "+to+"\n    bind unix@"+path)
			rewrite(t, file, "maxconn 100", c.global)
			whole := func() {}
			if c.short {
				whole = limitWorker(t, p)
			}
			v := visit(to)
			for i := range 10 {
				refused := v.refused.Load()
				p.signal(t, syscall.SIGHUP)
				waitFor(t, "the refusal", func() bool {
					return strings.Count(p.stderr.String(), "not reloaded: ") > i && v.refused.Load() > refused+10
				})
			}
			v.over.Store(true)
			v.clients.Wait()
			if n := v.let.Load(); n > 0 || !strings.Contains(p.stderr.String(), c.refusal) {
				t.Errorf("%d clients were connected or reset, %d were refused; want all refused for %q:\n%s", n, v.refused.Load(), c.refusal, p.stderr.String())
			}
			t.Logf("%d clients were refused", v.refused.Load())
			if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the socket file is left: %v", err)
			}
			whole()
			mustAsk(t, dial(t, p.addr))
		})
	}
}

// limitWorker leaves the worker of a master one descriptor, which the bundle takes. The result takes
// the limit away.
func limitWorker(t *testing.T, p *proc) (whole func()) {
	t.Helper()
	pid, free := workerOf(t, p.Process.Pid), 0
	for fileOf(pid, free) {
		free++
	}
	limit := unix.Rlimit{}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		t.Fatal(err)
	}
	was := limit
	limit.Cur = uint64(free + 1)
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &was, nil); err != nil {
			t.Error(err)
		}
	}
}

// fileOf reports whether a process has this descriptor.
func fileOf(pid, fd int) bool {
	_, err := os.Lstat(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
	return err == nil
}
