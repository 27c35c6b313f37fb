//go:build !simulation

package listen

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/conf"
)

// Another process may listen on an address of the file, or on one that overlaps it. The start
// then fails, even if that process has set SO_REUSEPORT.
func TestForeignListener(t *testing.T) {
	for name, global := range map[string]string{
		"bind": "", "stats socket": "  stats socket 127.0.0.1:PORT\n",
	} {
		t.Run(name, func(t *testing.T) {
			port := sharedListener(t)
			bind := fmt.Sprint(port)
			if global != "" {
				bind = "1"
			}
			c := parse(t, "global\n  nbthread 2\n"+strings.ReplaceAll(global, "PORT", fmt.Sprint(port))+`
listen one
  timeout connect 2s
  timeout client 10s
  timeout server 10s
  bind 127.0.0.1:`+bind+`
  server s 127.0.0.1:9`)
			l, err := Open(c, 2)
			if err == nil {
				l.Close()
				t.Fatal("it starts; want an error")
			}
			if !strings.Contains(err.Error(), "another process listens there already") || !strings.Contains(err.Error(), name) && name != "bind" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The same address in two spellings is an error that names both lines.
func TestCollisions(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(dir, dir+"/link"); err != nil {
		t.Fatal(err)
	}
	up := dir + "/../" + filepath.Base(dir)
	for name, c := range map[string]struct{ global, one, two, want string }{
		"same":                {"", "127.0.0.1:80", "127.0.0.1:80", "t.cfg:14: error: 'bind' in frontend 'two': 127.0.0.1:80 is bound by frontend 'one' at t.cfg:11, wanted another address"},
		"star":                {"", "*:80", "0.0.0.0:80", "0.0.0.0:80 (written *:80 before) is bound by frontend 'one' at t.cfg:11"},
		"mapped":              {"", "127.0.0.1:80", "[::ffff:127.0.0.1]:80", "is bound by frontend 'one'"},
		"v6only":              {"", ":::80", ":::80 v6only", "is bound by frontend 'one'"},
		"name":                {"", "127.0.0.5:80", "five.test:80", "five.test:80 (written 127.0.0.5:80 before) is bound by frontend 'one'"},
		"abstract":            {"", "abns@x", "abns@x", "is bound by frontend 'one'"},
		"path":                {"", dir + "/s", up + "/s", "is bound by frontend 'one'"},
		"link":                {"", dir + "/s", dir + "/link/s", "is bound by frontend 'one'"},
		"stats path":          {"stats socket " + dir + "/s", dir + "/s", "*:1", "t.cfg:3: error: 'stats socket': " + dir + "/s is bound by frontend 'one' at t.cfg:11"},
		"stats port":          {"stats socket 127.0.0.1:80", "127.0.0.1:80", "*:1", "t.cfg:3: error: 'stats socket': 127.0.0.1:80 is bound by frontend 'one' at t.cfg:11"},
		"stats twice":         {"stats socket /s\n stats socket //s", "*:1", "*:2", "t.cfg:4: error: 'stats socket': //s (written /s before) is bound by 'stats socket' at t.cfg:3"},
		"stats descriptor":    {"stats socket fd@7", "fd@7", "*:2", "t.cfg:3: error: 'stats socket': fd@7 is bound by frontend 'one'"},
		"descriptor":          {"", "fd@7", "fd@7", "t.cfg:14: warning: 'bind' in frontend 'two': fd@7 is bound by frontend 'one' at t.cfg:11, too: chance decides"},
		"address in wildcard": {"", "*:80", "127.0.0.1:80", ""},
		"both wildcards":      {"", "*:80", ":::80", ""},
		"other port":          {"stats socket 127.0.0.1:81", "*:80", "*:82", ""},
		"unknown names":       {"", "a.invalid:80", "b.invalid:80", ""},
	} {
		t.Run(name, func(t *testing.T) {
			global := c.global + strings.Repeat("\n", 2-strings.Count(c.global, "\n"))
			draft, _ := conf.Draft(conf.Disk{}, conf.Source{Name: "t.cfg", Data: []byte("global\n nbthread 1\n " + global + `
defaults
 timeout connect 1s
 timeout client 1s
frontend one
 timeout client 1s
 bind ` + c.one + `
 default_backend b
frontend two
 bind ` + c.two + `
 default_backend b
backend b
 timeout server 1s
 server s 127.0.0.1:9`)})
			problems := collisions(draft, func(host string) (netip.Addr, error) {
				if host == "five.test" {
					return netip.MustParseAddr("127.0.0.5"), nil
				}
				return netip.IPv4Unspecified(), nil
			})
			got := fmt.Sprint(problems)
			if c.want == "" && len(problems) > 0 || !strings.Contains(got, c.want) {
				t.Errorf("got %s; want %s", got, c.want)
			}
		})
	}
}

// sharedListener listens on all IPv4 addresses with SO_REUSEPORT, like another process that
// shares its port. It returns the port.
func sharedListener(t *testing.T) uint16 {
	t.Helper()
	share := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	}}
	ln, err := share.Listen(t.Context(), "tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().(*net.TCPAddr).AddrPort().Port()
}
