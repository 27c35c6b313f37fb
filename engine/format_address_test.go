//go:build !simulation

package engine

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// addressFormat has all variables and samples of addresses. hexAddresses are only for connections
// over TCP: for some ends of UNIX sockets HAProxy 2.6 writes bytes of the path as a port, or ends
// the text at an address.
const (
	addressFormat = `%ci|%cp|%fi|%fp|%si|%sp|%bi|%bp|%{+Q}ci|%{+Q}cp|%{+X}cp|%{+X}fp|%{+Q,+X}cp|%{+Q}si|%{+Q}sp|%{+Q}bi|%{+Q}bp|` +
		`%{+E}ci|%[src]|%{+Q}[src]|%[src_port]|%[dst]|%[dst_port]`
	hexAddresses = `%{+X}ci|%{+X}fi|%{+X}si|%{+X}sp|%{+X}bi|%{+X}bp|%{+Q,+X}ci|%{+Q,+X}si|%{+Q,+X}sp`
)

// addressConfig has two frontends: f for all kinds of sockets, and h for TCP alone.
func addressConfig(dir, tcp, unix string) string {
	var b strings.Builder
	b.WriteString(webDefaults)
	for i, format := range []string{addressFormat, hexAddresses} {
		fmt.Fprintf(&b, `
frontend f%d
  bind 127.0.1.%[1]d:1
  bind %s/%[1]d
  log-format "%[3]s"
  http-request redirect location "/%[3]s" if { path /redirect }
  http-request set-header X-Request "%[3]s"
  http-response set-header X-Answer "%[3]s"
  http-request return status 200 content-type a/b hdr x-return "%[3]s" if { path /return }
  use_backend unix if { path /unix }
  default_backend tcp
`, i, dir, format)
	}
	return b.String() + `
backend tcp
  http-request set-header X-Backend "` + addressFormat + `"
  server s ` + tcp + `
backend unix
  server s ` + unix + "\n"
}

// TestAddressesInFormats: formats of rules and of the log write the addresses of TCP and UNIX sockets
// as HAProxy does.
func TestAddressesInFormats(t *testing.T) {
	dir := t.TempDir()
	repeat := func(c *net.TCPConn) { repeatAddresses(c) }
	tcp, unix := newPeer(t, repeat).String(), unixPeer(t, filepath.Join(dir, "s"), repeatAddresses)
	judge := &balancer{t: t, lines: make(chan string, 1<<16)}
	theirDir, ourDir := t.TempDir(), t.TempDir()
	theirs := haproxy(t, "global\n"+judge.logTarget(t)+addressConfig(theirDir, tcp, unix), 2)
	want := visitAddresses(t, theirs[0], theirs[1], theirDir, judge.line)
	ours := start(t, strings.ReplaceAll(addressConfig(ourDir, tcp, unix), "bind 127.0.1.", "bind 127.0.0.1:1 #"))
	got := visitAddresses(t, ours.addrs["f0"], ours.addrs["f1"], ourDir, ours.line)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("HAProxy (-) and ours (+):\n%s", diff)
	}
	if !strings.Contains(got[4], "UNIX|2|UNIX|2|") {
		t.Errorf("a UNIX client is %q", got[4])
	}
}

// visitAddresses asks for the paths over TCP and then over a UNIX socket. The program is ready for
// the second when it has answered the first. It returns the fields and the log line of each request.
func visitAddresses(t *testing.T, f, h net.Addr, dir string, line func() string) (all []string) {
	t.Helper()
	over := &net.UnixAddr{Net: "unix", Name: filepath.Join(dir, "0")}
	for _, to := range []net.Addr{f, over, h} {
		for _, path := range []string{"/", "/redirect", "/return", "/unix"} {
			if to == h && path == "/unix" {
				continue
			}
			c, err := net.Dial(to.Network(), to.String())
			if err != nil {
				t.Fatal(err)
			}
			bound(c)
			_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			answer, err := fetch(c)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, path+"\n"+withoutPorts(addressFields(answer)+line()))
		}
	}
	return all
}

// repeatAddresses answers a request with its fields that contain addresses.
func repeatAddresses(c net.Conn) {
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n"+addressFields(readHead(c))+"\r\n")
}

var (
	addressField = regexp.MustCompile(`(?mi)^(?:x-|location).*\n`)
	somePort     = regexp.MustCompile(`\b[0-9A-F]{4,5}\b`)
)

// addressFields returns the field lines that contain addresses, in lower case.
func addressFields(head string) string {
	return strings.ToLower(strings.Join(addressField.FindAllString(head, -1), ""))
}

// withoutPorts replaces the port numbers, decimal or hexadecimal, that differ in each connection.
func withoutPorts(text string) string {
	return somePort.ReplaceAllStringFunc(strings.ToUpper(text), func(port string) string {
		if port == "0000" {
			return port
		}
		return "port"
	})
}

// unixPeer starts a server on a UNIX socket, and returns its path.
func unixPeer(t *testing.T, path string, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for c, err := ln.Accept(); err == nil; c, err = ln.Accept() {
			bound(c)
			serve(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return path
}

// TestAddressesOfOtherSessions: a format writes no address of another session of the same loop.
func TestAddressesOfOtherSessions(t *testing.T) {
	reached, release := make(chan struct{}), make(chan struct{})
	server := newPeer(t, func(c *net.TCPConn) {
		if strings.Contains(readHead(c), " /held ") {
			close(reached)
			<-release
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}).String()
	rules := `
  http-response set-header X-To %fp
  http-request redirect location "/%si%bi" if { path /redirect }
  default_backend b
`
	b := start(t, webDefaults+"frontend f\n  bind 127.0.0.1:1"+rules+"frontend g\n  bind 127.0.0.1:1"+rules+`
frontend h
  bind 127.0.0.1:1
  default_backend own
backend own
  http-request return status 200 hdr x-to %fp
backend b
  server s `+server+"\nglobal\n  nbthread 1\n")
	ask := func(frontend, path string) net.Conn {
		c := b.dial(frontend)
		_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		return c
	}
	hears := func(c net.Conn, want string) {
		t.Helper()
		answer, err := fetch(c)
		if got := strings.TrimSpace(addressFields(answer)); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	portOf := func(frontend string) string {
		return fmt.Sprintf("x-to: %d", b.addrs[frontend].(*net.TCPAddr).Port)
	}
	held := ask("f", "/held")
	<-reached
	hears(ask("g", "/"), portOf("g"))
	close(release)
	hears(held, portOf("f"))
	hears(ask("g", "/redirect"), "location: /")
	hears(ask("h", "/"), portOf("h"))
}
