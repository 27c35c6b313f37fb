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

// listening opens n sockets of a bind line that listen.
func listening(t *testing.T, f *conf.Frontend, b *conf.Bind, n int) []int {
	t.Helper()
	fds, err := Bind(f, b, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { CloseAll(fds) })
	if err := Listen(fds, SettingsOf(f, b)); err != nil {
		t.Fatal(err)
	}
	return fds
}

func TestListenSharesOnePort(t *testing.T) {
	fds := listening(t, &conf.Frontend{}, tcpBind(0), 3)
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
	listening(t, &conf.Frontend{}, unixBind(path), 2)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v; want 0640", info.Mode(), err)
	}
	if _, err := Bind(&conf.Frontend{}, unixBind(path), 1); !errors.Is(err, ErrBusy) {
		t.Errorf("a live socket: got %v; want ErrBusy", err)
	}
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("keep"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Bind(&conf.Frontend{}, unixBind(file), 1); err == nil {
		t.Error("a plain file is taken for a socket")
	}
	if kept, _ := os.ReadFile(file); string(kept) != "keep" {
		t.Error("a plain file was removed")
	}
}

// The file of a socket that nobody has any more is replaced. It stays if the user is not known.
func TestStaleSocketFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	stale, err := Bind(&conf.Frontend{}, unixBind(path), 1)
	if err != nil {
		t.Fatal(err)
	}
	CloseAll(stale)
	b := unixBind(path)
	b.User = "nobody-of-sluice"
	was := FileAt(path)
	if _, err := Bind(&conf.Frontend{}, b, 1); err == nil || !os.SameFile(was.info, FileAt(path).info) {
		t.Errorf("an unknown user: %v, file %v; want an error and the file of before", err, FileAt(path).info)
	}
	listening(t, &conf.Frontend{}, unixBind(path), 1)
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// The file of another server stays, also when the queue of that server is full.
func TestFileOfABusyServer(t *testing.T) {
	b := unixBind(filepath.Join(t.TempDir(), "s"))
	b.Backlog = 1
	listening(t, &conf.Frontend{}, b, 1)
	for {
		c, err := net.Dial("unix", b.Address.Path)
		if errors.Is(err, unix.EAGAIN) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if _, err := Bind(&conf.Frontend{}, b, 1); !errors.Is(err, ErrBusy) || FileAt(b.Address.Path).info == nil {
		t.Errorf("got %v, file %v; want ErrBusy and the file", err, FileAt(b.Address.Path).info)
	}
}

// If the owner or the mode of a new file cannot be set, no file is left.
func TestFileIsRemovedAfterAnError(t *testing.T) {
	b := unixBind(filepath.Join(t.TempDir(), "s"))
	if b.GID = 0; os.Getuid() == 0 {
		t.Skip("root may set every owner")
	}
	if _, err := Bind(&conf.Frontend{}, b, 1); err == nil || FileAt(b.Address.Path).info != nil {
		t.Errorf("got %v, and the file %v; want an error and no file", err, FileAt(b.Address.Path).info)
	}
}

// Bound sockets refuse clients until Listen. Meanwhile nobody else can listen on their address.
func TestBoundSocketsRefuseClients(t *testing.T) {
	dir := t.TempDir()
	abstract := conf.Address{Net: conf.NetAbstract, Path: dir}
	for network, b := range map[string]*conf.Bind{
		"tcp": tcpBind(0), "unix": unixBind(filepath.Join(dir, "s")), "abstract": {Address: abstract, UID: -1, GID: -1},
	} {
		t.Run(network, func(t *testing.T) {
			fds, err := Bind(&conf.Frontend{}, b, 2)
			if err != nil {
				t.Fatal(err)
			}
			defer CloseAll(fds)
			var own Addr
			Local(fds[0], &own)
			if e := dialed(t, &own); e != unix.ECONNREFUSED {
				t.Errorf("a client of bound sockets: %v; want ECONNREFUSED", e)
			}
			if network == "tcp" {
				rivalFails(t, &own)
			}
			if err := Listen(fds, SettingsOf(&conf.Frontend{}, b)); err != nil {
				t.Fatal(err)
			}
			if e := dialed(t, &own); e != 0 {
				t.Errorf("a client of listening sockets: %v", e)
			}
		})
	}
}

// dialed connects to an address and returns the error.
func dialed(t *testing.T, to *Addr) Errno {
	t.Helper()
	fd, err := unix.Socket(int(to.raw.Addr.Family), unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer Close(fd)
	return Connect(fd, to)
}

// rivalFails makes a socket with SO_REUSEADDR, as most servers have it, and tries to listen.
func rivalFails(t *testing.T, at *Addr) {
	t.Helper()
	fd, e := Stream(at)
	if e != 0 {
		t.Fatal(e)
	}
	defer Close(fd)
	_ = rawOption(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if e = rawBind(fd, at); e == 0 {
		e = rawListen(fd, 1)
	}
	if e != unix.EADDRINUSE {
		t.Errorf("another process listens on the address of bound sockets: %v; want EADDRINUSE", e)
	}
}

// Sockets can listen on an address where another server has listened, beside its last connections.
func TestListenBesideAConnection(t *testing.T) {
	former, err := net.Listen("tcp", "127.0.0.1:0") // with SO_REUSEADDR and without SO_REUSEPORT
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", former.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	left, err := former.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer left.Close()
	former.Close()
	here := tcpBind(former.Addr().(*net.TCPAddr).AddrPort().Port())
	fds, err := Bind(&conf.Frontend{}, here, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer CloseAll(fds)
	other := *here // now the kernel checks the first address again
	other.Address.IP = netip.MustParseAddr("127.0.0.2")
	listening(t, &conf.Frontend{}, &other, 1)
	if err := Listen(fds, SettingsOf(&conf.Frontend{}, here)); err != nil {
		t.Error(err)
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
	fds, err := Copies(int(f.Fd()), 2)
	if err != nil || len(fds) != 2 {
		t.Fatalf("got %v, %v; want two descriptors", fds, err)
	}
	defer CloseAll(fds)
	var own Addr
	Local(fds[1], &own)
	if own.String() != ln.Addr().String() {
		t.Errorf("the copy listens on %s; want %s", own.String(), ln.Addr())
	}
	if _, err := Copies(19999, 1); err == nil {
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
