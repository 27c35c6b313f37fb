//go:build !simulation

package listen

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/sock"
)

// parse checks a configuration. It replaces port 1 of each bind line by a free port.
func parse(t *testing.T, cfg string) *conf.Config {
	t.Helper()
	c, problems := conf.ParseString("t.cfg", cfg)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	eachBind(c, func(_ *conf.Frontend, b *conf.Bind) {
		if b.Address.Net == conf.NetTCP && b.Address.Port == 1 {
			b.Address.Port = 0
		}
	})
	return c
}

// twoFrontends returns a configuration: frontend web has two bind lines, frontend local has one
// on a UNIX socket.
func twoFrontends(t *testing.T, path string) *conf.Config {
	t.Helper()
	return parse(t, `
defaults
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend web
  bind 127.0.0.1:1
  bind 127.0.0.2:1
  default_backend b
frontend local
  bind unix@`+path+`
  default_backend b
backend b
  server s 127.0.0.1:9
`)
}

func open(t *testing.T, c *conf.Config, loops int) *Sockets {
	t.Helper()
	s, err := Open(c, loops)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Each bind line gets a socket for each loop, and clients can connect to the address that Addr
// and Lines tell.
func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s := open(t, twoFrontends(t, path), 3)
	for _, b := range s.Binds() {
		if len(b.FDs) != 3 {
			t.Errorf("%s in frontend %s has %d sockets; want 3", bindName(b.Conf), b.Frontend, len(b.FDs))
		}
	}
	for frontend, network := range map[string]string{"web": "tcp", "local": "unix"} {
		to := s.Addr(frontend)
		c, err := net.Dial(network, to.String())
		if err != nil {
			t.Errorf("frontend %s: %v", frontend, err)
			continue
		}
		c.Close()
	}
	lines := s.Lines()
	first := fmt.Sprintf("frontend 'web' on %s", s.Addr("web"))
	if len(lines) != 3 || lines[0] != first || !strings.HasPrefix(lines[1], "frontend 'web' on 127.0.0.2:") || lines[2] != "frontend 'local' on unix@"+path {
		t.Errorf("lines %q; want the first to be %q", lines, first)
	}
	if to := s.Addr("other"); to != nil {
		t.Errorf("an unknown frontend has the address %v", to)
	}
}

// The error names every bind line that cannot be opened, and no socket stays open.
func TestOpenNamesEachFailure(t *testing.T) {
	c := twoFrontends(t, "/nonexistent/s")
	first := &c.Frontends[0].Binds[0]
	path := filepath.Join(t.TempDir(), "missing")
	c.Frontends[0].Binds[1].Address = conf.Address{Net: conf.NetUnix, Path: path + "/s"}
	first.Address.Port = freePort(t)
	_, err := Open(c, 2)
	for _, want := range []string{
		"t.cfg:8: frontend 'web' can't listen on unix@" + path + "/s: ",
		"t.cfg:11: frontend 'local' can't listen on unix@/nonexistent/s: ",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want it to contain %q", err, want)
		}
	}
	if err := sock.Probe(first); err != nil {
		t.Errorf("the first bind line is still open: %v", err)
	}
}

// A start that fails leaves no file of a UNIX socket.
func TestOpenLeavesNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	_, err := Open(binding(t, []string{"unix@" + path, "unix@" + path + "/missing"}), 2)
	if err == nil || sock.FileAt(path) != (sock.File{}) {
		t.Errorf("got %v, and the file %v; want an error and no file", err, sock.FileAt(path))
	}
}

// Sockets that are passed on keep the clients in their queues.
func TestAdopt(t *testing.T) {
	c := twoFrontends(t, filepath.Join(t.TempDir(), "s"))
	parent := open(t, c, 2)
	client, err := net.Dial("tcp", parent.Addr("web").String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	files, manifest, err := parent.Files()
	if err != nil {
		t.Fatal(err)
	}
	first := inRow(t, files)
	parent.Close()
	child, err := Adopt(c, 2, manifest, first)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(child.Close)
	if got := child.Addr("web").String(); got != client.RemoteAddr().String() {
		t.Errorf("frontend web listens on %s; want %s", got, client.RemoteAddr())
	}
	if got := child.Addr("local").Network(); got != "unix" {
		t.Errorf("frontend local has a socket of network %s; want unix", got)
	}
	greet(t, child.Binds()[0].FDs)
	if text, err := io.ReadAll(client); string(text) != "hello" {
		t.Errorf("the client got %q, %v; want hello", text, err)
	}
}

// inRow closes the files and returns the first of consecutive descriptors for the same sockets.
func inRow(t *testing.T, files []*os.File) (first int) {
	t.Helper()
	const unused = 500 // more than the test opens
	for i, f := range files {
		raw, err := f.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var failed error
		err = raw.Control(func(fd uintptr) { failed = unix.Dup3(int(fd), unused+i, 0) })
		if err != nil || failed != nil {
			t.Fatal(err, failed)
		}
		f.Close()
	}
	return unused
}

// greet accepts the one client of the sockets and sends it a word.
func greet(t *testing.T, fds []int) {
	t.Helper()
	var polled []unix.PollFd
	for _, fd := range fds {
		polled = append(polled, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	if _, err := unix.Poll(polled, 20_000); err != nil {
		t.Fatal(err)
	}
	for _, p := range polled {
		if p.Revents == 0 {
			continue
		}
		fd, _, err := unix.Accept(int(p.Fd))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = unix.Write(fd, []byte("hello"))
		_ = unix.Close(fd)
	}
}

// A manifest of another configuration is refused, and no descriptor is touched.
func TestAdoptRefuses(t *testing.T) {
	c := twoFrontends(t, "/s")
	for _, manifest := range []string{"", "2", "2,2", "2,2,1", "2,2,2,2", "2,2,x"} {
		s, err := Adopt(c, 2, manifest, 1000)
		if s != nil || !errors.Is(err, ErrManifest) || !strings.Contains(err.Error(), fmt.Sprintf(`%q, wanted "2,2,2"`, manifest)) {
			t.Errorf("%q: got %v, %v", manifest, s, err)
		}
	}
}

// freePort returns a port that is free on all addresses.
func freePort(t *testing.T) uint16 {
	t.Helper()
	ln, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).AddrPort().Port()
}
