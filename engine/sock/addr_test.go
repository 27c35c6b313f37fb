//go:build !simulation

package sock

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/conf"
)

func TestAddressesRoundTrip(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1:80":           "127.0.0.1:80",
		"[::1]:443":              "[::1]:443",
		"[::ffff:192.0.2.1]:443": "192.0.2.1:443",
		"[fe80::1%1]:8080":       "[fe80::1]:8080",
	} {
		a, err := IP(netip.MustParseAddrPort(in))
		if err != nil || a.String() != want || a.IsUnix() {
			t.Errorf("%s: got %s, %v; want %s", in, a.String(), err, want)
		}
	}
	if _, err := IP(netip.MustParseAddrPort("[fe80::1%no-such-if]:80")); err == nil {
		t.Error("a zone without an interface is taken")
	}
}

func TestUnixAddresses(t *testing.T) {
	path, err := Unix("/run/x.sock")
	if err != nil || path.String() != "unix@/run/x.sock" || path.AddrPort().IsValid() {
		t.Errorf("got %s, %v", path.String(), err)
	}
	abstract, err := Abstract("name")
	if err != nil || abstract.String() != "abns@name" || abstract.len != unix.SizeofSockaddrUnix {
		t.Errorf("got %s, length %d, %v", abstract.String(), abstract.len, err)
	}
	for _, bad := range []string{"", strings.Repeat("x", 108)} {
		if _, err := Unix(bad); !errors.Is(err, ErrPath) {
			t.Errorf("%q: got %v; want ErrPath", bad, err)
		}
	}
}

func tcpBind(port uint16) *conf.Bind {
	return &conf.Bind{Address: conf.Address{IP: netip.MustParseAddr("127.0.0.1"), Port: port}, UID: -1, GID: -1}
}

func TestListenSharesOnePort(t *testing.T) {
	fds, err := Listen(&conf.Frontend{}, tcpBind(0), 3)
	if err != nil {
		t.Fatal(err)
	}
	defer CloseAll(fds)
	var first Addr
	Local(fds[0], &first)
	for _, fd := range fds[1:] {
		var other Addr
		Local(fd, &other)
		if other.AddrPort() != first.AddrPort() {
			t.Errorf("one loop listens on %s, another on %s", first.String(), other.String())
		}
	}
	if err := Probe(tcpBind(first.AddrPort().Port())); !errors.Is(err, ErrBusy) {
		t.Errorf("a second instance: got %v; want ErrBusy", err)
	}
}

func unixBind(path string) *conf.Bind {
	return &conf.Bind{Address: conf.Address{Net: conf.NetUnix, Path: path}, Mode: 0o640, UID: -1, GID: -1}
}

func TestUnixSocketFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fds, err := Listen(&conf.Frontend{}, unixBind(path), 2)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v; want 0640", info.Mode(), err)
	}
	if _, err := Listen(&conf.Frontend{}, unixBind(path), 1); !errors.Is(err, ErrBusy) {
		t.Errorf("a live socket: got %v; want ErrBusy", err)
	}
	CloseAll(fds)
	fds, err = Listen(&conf.Frontend{}, unixBind(path), 1)
	if err != nil {
		t.Fatalf("a stale socket: %v", err)
	}
	CloseAll(fds)
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("keep"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(&conf.Frontend{}, unixBind(file), 1); err == nil {
		t.Error("a plain file is taken for a socket")
	}
	if kept, _ := os.ReadFile(file); string(kept) != "keep" {
		t.Error("a plain file was removed")
	}
}

func TestInheritedDescriptor(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	f, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fds, err := Listen(&conf.Frontend{}, &conf.Bind{Address: conf.Address{Net: conf.NetFD, FD: int(f.Fd())}}, 2)
	if err != nil || len(fds) != 2 {
		t.Fatalf("got %v, %v; want two descriptors", fds, err)
	}
	defer CloseAll(fds)
	var own Addr
	Local(fds[1], &own)
	if own.String() != ln.Addr().String() {
		t.Errorf("the copy listens on %s; want %s", own.String(), ln.Addr())
	}
	if _, err := Listen(&conf.Frontend{}, &conf.Bind{Address: conf.Address{Net: conf.NetFD, FD: 19999}}, 1); err == nil {
		t.Error("a descriptor that does not exist is taken")
	}
}

func TestRawErrors(t *testing.T) {
	if _, e := Read(-1, make([]byte, 1)); e != unix.EBADF {
		t.Errorf("read: %v; want EBADF", e)
	}
	if e := Connect(-1, &Addr{}); e != unix.EBADF {
		t.Errorf("connect: %v; want EBADF", e)
	}
	if Unsent(-1) != 0 {
		t.Error("unsent bytes on no socket")
	}
}
