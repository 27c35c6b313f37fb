//go:build !simulation

package listen

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/engine/sock"
)

// If the file of a UNIX socket was removed or replaced, a reload opens a new socket at the path, and
// says so. Clients in the queue of the old one can be accepted.
func TestLostSocketFileIsMadeAgain(t *testing.T) {
	for name, lose := range map[string]func(path string) error{
		"removed": os.Remove,
		"a dead socket": func(path string) error {
			ln, err := net.Listen("unix", path+".new")
			if err != nil {
				return err
			}
			ln.(*net.UnixListener).SetUnlinkOnClose(false)
			return errors.Join(ln.Close(), os.Rename(path+".new", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			s := running(t, []string{path})
			waiting, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer waiting.Close()
			if err := lose(path); err != nil {
				t.Fatal(err)
			}
			n := next(t, s, []string{path + " mode 600"})
			if err := n.Listen(); err != nil {
				t.Fatal(err)
			}
			if warnings := n.Commit(); len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "bind unix@"+path+" of frontend 'f1': the file of its socket was removed or replaced") {
				t.Errorf("warnings %v; want one about the file", warnings)
			}
			var peer sock.Addr
			fd, e := sock.Accept(n.Removed[0].FDs[0], &peer)
			if e != 0 {
				t.Errorf("the client in the old queue: %v", e)
			}
			sock.Close(fd)
			if !reaches(t, &n.Binds[0], "unix", path) {
				t.Error("a new client has not reached the new socket")
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v; want 600", info.Mode(), err)
			}
			closeAll(n.Removed)
			install(t, next(t, s, []string{path + " mode 600"}))
		})
	}
}

// Where another process listens meanwhile, or a file of another kind is, a reload changes nothing.
func TestLostSocketFileOfAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s := running(t, []string{path})
	for what, put := range map[string]func() error{
		"another process listens there already": func() error {
			ln, err := net.Listen("unix", path)
			if err == nil {
				t.Cleanup(func() { ln.Close() })
			}
			return err
		},
		"exists and is not a socket": func() error { return os.WriteFile(path, nil, 0o600) },
	} {
		_ = os.Remove(path)
		if err := put(); err != nil {
			t.Fatal(err)
		}
		before := sock.FileAt(path)
		_, err := s.Prepare(binding(t, []string{path}), sock.LookUp)
		if err == nil || !strings.Contains(err.Error(), what+"; the file of this process's socket was removed or replaced") {
			t.Errorf("got %v; want %q and the reason", err, what)
		}
		if !before.IsAt(path) {
			t.Error("the file of another process is gone")
		}
	}
}

// With a master, the master opens the new socket, and the worker gets it.
func TestLostSocketFileWithAMaster(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	opener, receiver := pair(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	o := next(t, opener, []string{path})
	r, err := receiver.Receive(binding(t, []string{path}), passed(t, o.Sent()))
	if err != nil {
		t.Fatal(err)
	}
	commit(t, r)
	if warnings := o.Commit(); len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "was removed or replaced") {
		t.Errorf("warnings %v; want one about the file", warnings)
	}
	if !reaches(t, &receiver.Binds()[0], "unix", path) {
		t.Error("a new client has not reached the worker")
	}
	reload(t, opener, receiver, path)
}
