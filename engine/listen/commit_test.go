//go:build !simulation

package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// Clients of a removed line wait in the queue of its sockets. New clients go to another line that has
// the address, or are refused.
func TestCommitKeepsClientsAway(t *testing.T) {
	port := freePort(t)
	narrow, wide := fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("*:%d", port)
	s := running(t, []string{narrow})
	waiting, err := net.Dial("tcp", narrow)
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	for i := range 3 {
		n := next(t, s, []string{wide})
		install(t, n)
		if !reaches(t, &n.Binds[0], "tcp", narrow) {
			t.Errorf("a new client has not reached %s", wide)
		}
		m := next(t, s, []string{narrow})
		install(t, m)
		if !reaches(t, &m.Binds[0], "tcp", narrow) {
			t.Errorf("a new client has not reached %s", narrow)
		}
		defer closeAll(append(n.Removed, m.Removed...))
		if i == 0 && queuedAt(&n.Removed[0]) != 1 {
			t.Error("the client in the queue is gone")
		}
	}
	n := next(t, s, []string{"127.0.0.1:1"})
	n.Commit()
	if _, err := net.Dial("tcp", narrow); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("after the end: %v; want ECONNREFUSED", err)
	}
	closeAll(n.Removed)
}

// queuedAt returns the number of clients in the queues of a bind line.
func queuedAt(b *Bind) (n int) {
	for _, fd := range b.FDs {
		here, _ := sock.Queued(fd)
		n += here
	}
	return n
}

// A removed UNIX socket loses its file, refuses new clients, and keeps those in its queue. A file
// that another process has put there stays.
func TestCommitRemovesUnixSockets(t *testing.T) {
	dir := t.TempDir()
	name := fmt.Sprintf("sluice-test-%d", freePort(t))
	s := running(t, []string{dir + "/s", dir + "/t", "abns@" + name})
	if err := os.Rename(dir+"/t", dir+"/old"); err != nil {
		t.Fatal(err)
	}
	foreign, err := net.Listen("unix", dir+"/t")
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	waiting, err := net.Dial("unix", "@"+name+strings.Repeat("\x00", 107-len(name)))
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	n := next(t, s, []string{"127.0.0.1:1"})
	if warnings := n.Commit(); warnings != nil {
		t.Error(warnings)
	}
	if _, err := net.Dial("unix", dir+"/s"); !errors.Is(err, unix.ENOENT) {
		t.Errorf("the removed path: %v; want ENOENT", err)
	}
	if _, err := net.Dial("unix", dir+"/old"); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("the removed socket: %v; want ECONNREFUSED", err)
	}
	if c, err := net.Dial("unix", dir+"/t"); err != nil {
		t.Errorf("the socket of another process: %v", err)
	} else {
		c.Close()
	}
	if _, err := net.Dial("unix", "@"+name+strings.Repeat("\x00", 107-len(name))); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("the removed name: %v; want ECONNREFUSED", err)
	}
	var peer sock.Addr
	if _, err := s.Prepare(binding(t, []string{"127.0.0.1:1", "abns@" + name}), sock.LookUp); !errors.Is(err, errLeaving) {
		t.Errorf("the name is added again while a client waits: %v", err)
	}
	got, e := sock.Accept(n.Removed[2].FDs[1], &peer)
	if e != 0 {
		t.Errorf("the client in the queue: %v", e)
	}
	sock.Close(got)
	closeAll(n.Removed)
	next(t, s, []string{"127.0.0.1:1", "abns@" + name}).Abandon()
}

// An inherited socket is known by its number, also after its descriptor was closed and after it was
// not in use for a while.
func TestInheritedSocketsAreRemembered(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := ln.Addr().String()
	f, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	number := fmt.Sprintf("fd@%d", f.Fd())
	s := running(t, []string{number})
	f.Close()
	if n := next(t, s, []string{number + " name x"}); len(n.Changes) != 0 {
		t.Errorf("changes %q", texts(n))
	} else {
		commit(t, n)
	}
	for range 3 {
		commit(t, next(t, s, []string{"127.0.0.1:1"}))
		if len(s.given) != 1 {
			t.Fatalf("remembered are %v; want the one number", s.given)
		}
		n := next(t, s, []string{number})
		commit(t, n)
		if len(s.given) != 0 {
			t.Errorf("remembered are %v; want nothing, the socket is in use", s.given)
		}
		if !reaches(t, &n.Binds[0], "tcp", at) {
			t.Error("the inherited socket has lost its clients")
		}
	}
}

// A kept line changes its options: those of the socket, and the permissions of a path.
func TestCommitChangesOptions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s := running(t, []string{"127.0.0.1:1 backlog 10", path + " mode 600"})
	fds := slices.Clone(s.binds[0].FDs)
	commit(t, next(t, s, []string{"127.0.0.1:1 backlog 20 tfo", path + " mode 660"}))
	for _, fd := range fds {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			t.Fatal(err)
		}
		if queue, _ := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN); info.Sacked != 20 || queue != 20 {
			t.Errorf("backlog %d, tfo %d; want 20 and 20", info.Sacked, queue)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v; want 660", info.Mode(), err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	n := next(t, s, []string{"127.0.0.1:1", path + " mode 600"})
	if warnings := n.Commit(); len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "was removed or replaced") {
		t.Errorf("warnings %v; want one about the file", warnings)
	}
	closeAll(n.Removed)
}
