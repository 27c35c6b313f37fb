//go:build !simulation

package listen

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// passed returns duplicates of the descriptors, as another process gets them.
func passed(t *testing.T, sent Sent) Sent {
	t.Helper()
	fds := make([]int, len(sent.FDs))
	for i, fd := range sent.FDs {
		dup, e := sock.Duplicate(fd)
		if e != 0 {
			t.Fatal(e)
		}
		fds[i] = dup
	}
	return Sent{sent.Kept, fds}
}

// pair returns the sockets of an opener, which has given them away, and of its receiver.
func pair(t *testing.T, binds ...string) (opener, receiver *Sockets) {
	t.Helper()
	c := binding(t, binds)
	opener, err := Open(c, 2)
	if err != nil {
		t.Fatal(err)
	}
	receiver, err = AdoptSent(c, 2, passed(t, opener.Sent()))
	if err != nil {
		t.Fatal(err)
	}
	receiver.Take()
	opener.GiveAway()
	t.Cleanup(func() { closeAll(receiver.binds); receiver.Close() })
	return opener, receiver
}

// reload makes both follow a configuration.
func reload(t *testing.T, opener, receiver *Sockets, binds ...string) (changes []string) {
	t.Helper()
	o := next(t, opener, binds)
	r, err := receiver.Receive(binding(t, binds), passed(t, o.Sent()))
	if err != nil {
		t.Fatal(err)
	}
	changes = texts(r)
	commit(t, r)
	if warnings := o.Commit(); warnings != nil {
		t.Error(warnings)
	}
	return changes
}

// The receiver follows the opener, which holds no descriptor afterwards and changes the files.
func TestReceiverFollowsTheOpener(t *testing.T) {
	dir := t.TempDir()
	path, at := filepath.Join(dir, "s"), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	opener, receiver := pair(t, at, "unix@"+path)
	kept := receiver.Binds()[0].FDs
	got := reload(t, opener, receiver, "unix@"+path+".new mode 600", at)
	want := []string{"bind unix@" + path + ".new of frontend 'f1' added", "bind unix@" + path + " of frontend 'f1' removed"}
	if !slices.Equal(got, want) || !slices.Equal(receiver.Binds()[1].FDs, kept) {
		t.Errorf("%q with %v, want %q with %v", got, receiver.Binds()[1].FDs, want, kept)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the removed socket file is there: %v", err)
	}
	if !reaches(t, &receiver.Binds()[0], "unix", path+".new") {
		t.Error("nobody accepts on the new socket")
	}
	reload(t, opener, receiver, "unix@"+path+".new mode 666", at)
	if info, err := os.Stat(path + ".new"); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("%v, %v", info, err)
	}
	wide := strings.Replace(at, "127.0.0.1", "*", 1)
	for range 4 { // the sockets of both processes overlap for a moment
		reload(t, opener, receiver, wide)
		reload(t, opener, receiver, at)
	}
	if !reaches(t, &receiver.Binds()[0], "tcp", at) {
		t.Error("nobody accepts on the socket that came back")
	}
	for _, b := range opener.Binds() {
		if len(b.FDs) > 0 {
			t.Errorf("the opener holds %v of %s", b.FDs, &b)
		}
	}
	if len(opener.leaving) > 4 {
		t.Errorf("the opener remembers %d closed sockets", len(opener.leaving))
	}
}

// An opener that gives up a configuration leaves nothing behind.
func TestOpenerAbandons(t *testing.T) {
	path, at := filepath.Join(t.TempDir(), "s"), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	opener, receiver := pair(t, at)
	o := next(t, opener, []string{"unix@" + path, at})
	sent := passed(t, o.Sent())
	o.Abandon()
	sent.Close()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket file is there: %v", err)
	}
	reload(t, opener, receiver, "unix@"+path, at)
}

// Descriptors that do not fit are closed.
func TestReceiverRefusesWhatDoesNotFit(t *testing.T) {
	_, receiver := pair(t, fmt.Sprintf("127.0.0.1:%d", freePort(t)))
	more := []string{fmt.Sprintf("127.0.0.1:%d", freePort(t)), fmt.Sprintf("127.0.0.2:%d", freePort(t))}
	for _, c := range []struct{ kept, fds int }{{2, 3}, {2, 5}, {1, 4}, {2, 0}} {
		var sent Sent
		for range c.fds {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			sent.FDs = append(sent.FDs, fd)
		}
		sent.Kept = slices.Repeat([]int{-1}, c.kept)
		if _, err := receiver.Receive(binding(t, more), sent); !errors.Is(err, ErrManifest) {
			t.Errorf("%+v: %v, want ErrManifest", c, err)
		}
		for _, fd := range sent.FDs {
			if _, open := sock.Inode(fd); open {
				t.Errorf("%+v: descriptor %d is open", c, fd)
			}
		}
	}
	if _, err := receiver.Receive(binding(t, more), Sent{Kept: []int{0, 7}}); !errors.Is(err, ErrManifest) {
		t.Errorf("sockets of no line: %v", err)
	}
}
