package admin

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sluice/conf"
)

func at(path string) conf.StatsSocket {
	return conf.StatsSocket{Address: conf.Address{Net: conf.NetUnix, Path: path}, UID: -1, GID: -1}
}

func mustListen(t *testing.T, s conf.StatsSocket) net.Listener {
	t.Helper()
	ln, err := Listen(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

func TestListenReplacesOnlyADeadSocket(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	first := mustListen(t, at(path))
	if _, err := Listen(at(path)); !errors.Is(err, ErrInUse) {
		t.Errorf("over a living socket: %v, want %v", err, ErrInUse)
	}
	first.Close()
	mustListen(t, at(path))
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("the new socket does not answer: %v", err)
	}
	conn.Close()
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

func TestListenRefuses(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("precious"), 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	nobody := at(filepath.Join(dir, "s"))
	nobody.User = "no-such-user"
	group := at(filepath.Join(dir, "s"))
	group.Group = "no-such-group"
	for _, tt := range []struct {
		socket conf.StatsSocket
		want   string
	}{
		{at(file), "a file is there, wanted a socket or nothing"},
		{at(link), "a symbolic link is there, wanted a socket or nothing"},
		{at(dir), "a directory is there, wanted a socket or nothing"},
		{at(filepath.Join(dir, "no", "s")), "no such file or directory"},
		{at("/tmp/" + strings.Repeat("x", 120)), "path of 125 bytes, wanted at most"},
		{nobody, "unknown user no-such-user"},
		{group, "unknown group no-such-group"},
	} {
		ln, err := Listen(tt.socket)
		if err == nil {
			ln.Close()
			t.Errorf("%s: opened", tt.socket.Address)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.socket.Address, err, tt.want)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file now holds %q, %v", text, err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 2 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

func TestListenSetsOwnerAndMode(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s := at(filepath.Join(t.TempDir(), "s"))
	s.Mode, s.User = 0o620, me.Username
	mustListen(t, s)
	info, err := os.Stat(s.Address.Path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != fs.ModeSocket|0o620 {
		t.Errorf("mode %v, want socket with 0620", got)
	}
}

// TestListenIsClosedToOthersByDefault: the mode is 0600 even if the umask allows more.
func TestListenIsClosedToOthersByDefault(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	s := at(filepath.Join(t.TempDir(), "s"))
	mustListen(t, s)
	info, err := os.Stat(s.Address.Path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != fs.ModeSocket|0o600 {
		t.Errorf("mode %v, want socket with 0600", got)
	}
}

func TestListenElsewhere(t *testing.T) {
	ln := mustListen(t, conf.StatsSocket{Address: conf.Address{IP: netip.MustParseAddr("127.0.0.1")}, Level: "user"})
	if _, ok := ln.Addr().(*net.TCPAddr); !ok || levelOf(ln) != "user" {
		t.Errorf("listens on %v; level %s", ln.Addr(), levelOf(ln))
	}
	name := "sluice-admin-" + filepath.Base(t.TempDir()) + strings.ReplaceAll(ln.Addr().String(), ":", "-")
	mustListen(t, conf.StatsSocket{Address: conf.Address{Net: conf.NetAbstract, Path: name}})
	conn, err := net.Dial("unix", "@"+name+strings.Repeat("\x00", 107-len(name)))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}
