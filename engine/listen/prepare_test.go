//go:build !simulation

package listen

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/sock"
)

// binding returns a configuration of frontends, each with bind lines. Port 1 becomes port 0.
func binding(t *testing.T, frontends ...[]string) *conf.Config {
	t.Helper()
	var text strings.Builder
	text.WriteString("defaults\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n")
	for i, binds := range frontends {
		fmt.Fprintf(&text, "frontend f%d\n default_backend b\n", i+1)
		for _, b := range binds {
			fmt.Fprintf(&text, " bind %s\n", b)
		}
	}
	text.WriteString("backend b\n server s 127.0.0.1:9\n")
	return parse(t, text.String())
}

// running opens the sockets of a configuration, as at the start of a process.
func running(t *testing.T, frontends ...[]string) *Sockets {
	t.Helper()
	s, err := Open(binding(t, frontends...), 2)
	if err != nil {
		t.Fatal(err)
	}
	s.Take()
	t.Cleanup(func() { closeAll(s.binds); s.Close() })
	return s
}

// next prepares a configuration.
func next(t *testing.T, s *Sockets, frontends ...[]string) *Next {
	t.Helper()
	n, err := s.Prepare(binding(t, frontends...), sock.LookUp)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// install makes a configuration the present one.
func install(t *testing.T, n *Next) {
	t.Helper()
	if err := n.Listen(); err != nil {
		t.Fatal(err)
	}
	if warnings := n.Commit(); warnings != nil {
		t.Error(warnings)
	}
}

// commit is install, and closes the removed sockets as loops do.
func commit(t *testing.T, n *Next) {
	t.Helper()
	install(t, n)
	closeAll(n.Removed)
}

func texts(n *Next) (all []string) {
	for _, c := range n.Changes {
		all = append(all, c.Text)
	}
	return all
}

// reaches connects, and reports whether one of the sockets of a bind line has the client then.
func reaches(t *testing.T, b *Bind, network, to string) bool {
	t.Helper()
	c, err := net.DialTimeout(network, to, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	for _, fd := range b.FDs {
		var peer sock.Addr
		if got, e := sock.Accept(fd, &peer); e == 0 {
			sock.Close(got)
			return true
		}
	}
	return false
}

// A bind line keeps its sockets if its address is the same in another spelling. Others are opened
// or removed.
func TestPrepareKeepsEqualAddresses(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(dir, dir+"/link"); err != nil {
		t.Fatal(err)
	}
	p, q := freePort(t), freePort(t)
	name := fmt.Sprintf("sluice-test-%d", p)
	for what, c := range map[string]struct {
		now, then string
		kept      bool
	}{
		"equal":             {"127.0.0.1:PORT", "127.0.0.1:PORT", true},
		"other options":     {"127.0.0.1:PORT", "127.0.0.1:PORT name x maxconn 5 backlog 9 tfo", true},
		"star":              {"*:PORT", "0.0.0.0:PORT", true},
		"without a host":    {"*:PORT", ":PORT", true},
		"name of a host":    {"127.0.0.1:PORT", "localhost:PORT", true},
		"mapped":            {"127.0.0.1:PORT", "[::ffff:127.0.0.1]:PORT", true},
		"other port":        {"127.0.0.1:PORT", "127.0.0.1:OTHER", false},
		"other address":     {"127.0.0.1:PORT", "127.0.0.2:PORT", false},
		"star to address":   {"*:PORT", "127.0.0.1:PORT", false},
		"address to star":   {"127.0.0.1:PORT", "*:PORT", false},
		"star to six":       {"*:PORT", ":::PORT v4v6", false},
		"six to star":       {":::PORT v4v6", "*:PORT", false},
		"six to only six":   {":::PORT v4v6", ":::PORT v6only", false},
		"only six to six":   {":::PORT v6only", ":::PORT v4v6", false},
		"equal six":         {":::PORT v4v6", "[::]:PORT v4v6", true},
		"path":              {dir + "/s", dir + "/link/s mode 600", true},
		"other path":        {dir + "/s", dir + "/t", false},
		"abstract":          {"abns@" + name, "abns@" + name, true},
		"other abstract":    {"abns@" + name, "abns@" + name + "x", false},
		"path to abstract":  {dir + "/s", "abns@" + name, false},
		"a port of no line": {"127.0.0.1:1", "127.0.0.1:PORT", false},
	} {
		t.Run(what, func(t *testing.T) {
			fill := strings.NewReplacer("PORT", fmt.Sprint(p), "OTHER", fmt.Sprint(q)).Replace
			s := running(t, []string{fill(c.now)})
			was := slices.Clone(s.binds[0].FDs)
			n := next(t, s, []string{fill(c.then)})
			if kept := slices.Equal(n.Binds[0].FDs, was); kept != c.kept || len(n.Binds) != 1 {
				t.Errorf("kept: %v; want %v; changes %q", kept, c.kept, texts(n))
			}
			if removed := len(n.Removed); (removed == 0) != c.kept {
				t.Errorf("%d are removed", removed)
			}
			commit(t, n)
			if len(s.binds) != 1 || s.binds[0].Conf != n.Binds[0].Conf {
				t.Error("the new configuration is not the present one")
			}
		})
	}
}

// Changes has a typed entry for each difference, with a text.
func TestPrepareTellsChanges(t *testing.T) {
	var port [5]string
	for i := range port {
		port[i] = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	}
	s := running(t, []string{port[0], port[1] + " backlog 100", port[2]}, []string{port[3]})
	n := next(t, s, []string{port[0], port[1] + " backlog 200 tfo", port[4]}, []string{port[2]})
	var kinds []ChangeKind
	for _, c := range n.Changes {
		kinds = append(kinds, c.Kind)
	}
	want := []string{
		"bind " + port[4] + " of frontend 'f1' added",
		"bind " + port[1] + " of frontend 'f1': backlog 200, was 100; tfo on, was off",
		"bind " + port[2] + " of frontend 'f2' moved from frontend 'f1'",
		"bind " + port[3] + " of frontend 'f2' removed",
	}
	if !slices.Equal(texts(n), want) || !slices.Equal(kinds, []ChangeKind{Added, Adjusted, Moved, Removed}) {
		t.Errorf("got %q of kinds %v; want %q", texts(n), kinds, want)
	}
	commit(t, n)
	if m := next(t, s, []string{port[0], port[1] + " backlog 200 tfo", port[4]}, []string{port[2]}); len(m.Changes) != 0 {
		t.Errorf("the same again changes %q", texts(m))
	}
}

// A line with port 0 keeps the port that the kernel has chosen, by its frontend and its position.
func TestPortZeroStays(t *testing.T) {
	s := running(t, []string{"127.0.0.1:1", "127.0.0.1:1"}, []string{"127.0.0.1:1"})
	ports := func() (all []string) {
		for i := range s.binds {
			all = append(all, s.binds[i].Local().String())
		}
		return all
	}
	was, other := ports(), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	commit(t, next(t, s, []string{other, "127.0.0.1:1", "127.0.0.1:1"}, []string{"127.0.0.1:1 backlog 5"}))
	if got := ports(); !slices.Equal(got[1:], was) {
		t.Errorf("ports %v; want %v", got[1:], was)
	}
	n := next(t, s, []string{other, "127.0.0.1:1"}, []string{"127.0.0.2:1"})
	commit(t, n)
	if got := ports(); got[1] != was[0] || got[2] == was[2] || len(n.Removed) != 2 {
		t.Errorf("ports %v; want the second to be %s and the third another one than %s", got, was[0], was[2])
	}
}

// If a line of a configuration fails, nothing has changed, and the error names each such line.
func TestPrepareFailsWhole(t *testing.T) {
	path, fine := filepath.Join(t.TempDir(), "s"), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	s := running(t, []string{fine})
	foreign := sharedListener(t)
	before := fmt.Sprint(descriptors(t))
	_, err := s.Prepare(binding(t, []string{fmt.Sprintf("127.0.0.1:%d", freePort(t)), path, "/nonexistent/s", "fd@77"}), sock.LookUp)
	for _, want := range []string{
		"t.cfg:9: frontend 'f1' can't listen on unix@/nonexistent/s: ",
		"t.cfg:10: frontend 'f1' can't listen on fd@77: this process has no inherited socket of the number 77",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		}
	}
	if _, err := s.Prepare(binding(t, []string{fmt.Sprintf("*:%d", foreign)}), sock.LookUp); !errors.Is(err, sock.ErrBusy) {
		t.Errorf("a port of another process: %v", err)
	}
	n := next(t, s, []string{path, "127.0.0.1:1"})
	n.Abandon()
	if after := fmt.Sprint(descriptors(t)); after != before {
		t.Errorf("descriptors %s; want %s", after, before)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("a file of an abandoned configuration is left: %v", err)
	}
	if len(s.binds) != 1 || !reaches(t, &s.binds[0], "tcp", fine) {
		t.Error("the present socket is gone")
	}
}

// descriptors returns the open descriptors of the process.
func descriptors(t *testing.T) (all []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			all = append(all, e.Name()+" "+to)
		}
	}
	return all
}

// The probe finds another process beside our own sockets on the port.
func TestProbeLeavesOwnSocketsOut(t *testing.T) {
	port := freePort(t)
	at := func(text string) []string { return []string{fmt.Sprintf(text, port)} }
	s := running(t, at("127.0.0.1:%d"))
	for _, step := range []string{"*:%d", "127.0.0.1:%d", ":::%d v4v6", "*:%d", ":::%d v6only"} {
		commit(t, next(t, s, at(step)))
	}
	commit(t, next(t, s, at("127.0.0.1:%d")))
	other := reuse(t, fmt.Sprintf("127.0.0.2:%d", port))
	commit(t, next(t, s, at("127.0.0.3:%d")))
	for _, step := range []string{"127.0.0.2:%d", "*:%d", ":::%d v4v6"} {
		both := append(at("127.0.0.3:%d"), at(step)...)
		if _, err := s.Prepare(binding(t, both), sock.LookUp); !errors.Is(err, sock.ErrBusy) {
			t.Errorf("%s: got %v; want ErrBusy", fmt.Sprintf(step, port), err)
		}
	}
	commit(t, next(t, s, append(at("127.0.0.3:%d"), at("127.0.0.1:%d")...)))
	other.Close()
	commit(t, next(t, s, at("*:%d")))
}

// reuse listens with SO_REUSEPORT, as another process of the same user.
func reuse(t *testing.T, at string) net.Listener {
	t.Helper()
	ap := netip.MustParseAddrPort(at)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), at)
	defer f.Close()
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 5); err != nil {
		t.Fatal(err)
	}
	ln, err := net.FileListener(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// A removed line whose sockets are still open is not another process, so the line can be added again.
// The new sockets get all clients.
func TestRemovedLineIsAddedAgain(t *testing.T) {
	at := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	s := running(t, []string{"127.0.0.1:1", at})
	n := next(t, s, []string{"127.0.0.1:1"})
	n.Commit()
	m := next(t, s, []string{"127.0.0.1:1", at})
	commit(t, m)
	for range 20 {
		if !reaches(t, &m.Binds[1], "tcp", at) {
			t.Error("a client has not reached the new sockets")
		}
	}
	if len(s.leaving) != 2 {
		t.Errorf("%d sockets leave; want 2", len(s.leaving))
	}
	closeAll(n.Removed)
	if next(t, s, []string{"127.0.0.1:1", at}); len(s.leaving) != 0 {
		t.Errorf("%d sockets leave although they are closed", len(s.leaving))
	}
}
