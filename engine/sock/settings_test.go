//go:build !simulation

package sock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/conf"
)

// limits returns two values of a listening socket: the maximum length of its accept queue, and the
// option TCP_FASTOPEN.
func limits(t *testing.T, fd int) (backlog, fastOpen int) {
	t.Helper()
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		t.Fatal(err)
	}
	fastOpen, err = unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Sacked), fastOpen
}

// The settings of open sockets change, all of them and no others.
func TestSettingsChangeWhileASocketListens(t *testing.T) {
	f := &conf.Frontend{Backlog: 100}
	b := tcpBind(0)
	fds := listening(t, f, b, 2)
	was := SettingsOf(f, b)
	for _, step := range []struct {
		change            func()
		backlog, fastOpen int
	}{
		{func() {}, 100, 0},
		{func() { f.Backlog = 200 }, 200, 0},
		{func() { b.TFO = true }, 200, 200},
		{func() { b.Backlog = 50 }, 50, 50},
		{func() { f.Backlog = 70 }, 50, 50},
		{func() { b.TFO = false }, 50, 0},
		{func() { f.SmartAccept = true }, 50, 0},
		{func() { b.Backlog, f.Backlog = 0, 0 }, mostBacklog(t), 0},
	} {
		step.change()
		c, err := PrepareChange(was, f, b)
		if err != nil {
			t.Fatal(err)
		}
		if errs := c.Apply(fds); errs != nil {
			t.Fatal(errs)
		}
		was = SettingsOf(f, b)
		for _, fd := range fds {
			if backlog, fastOpen := limits(t, fd); backlog != step.backlog || fastOpen != step.fastOpen {
				t.Errorf("%+v: backlog %d, tfo %d; want %d and %d", was, backlog, fastOpen, step.backlog, step.fastOpen)
			}
		}
	}
}

func mostBacklog(t *testing.T) int {
	t.Helper()
	fd, _ := listenAt(t, host("127.0.0.1", 0))
	most, _ := limits(t, fd)
	return most
}

// The file of a UNIX socket gets the permissions and the owner that a bind line names.
func TestSettingsOfAUnixSocketChange(t *testing.T) {
	f, b := &conf.Frontend{}, unixBind(filepath.Join(t.TempDir(), "s"))
	fds := listening(t, f, b, 1)
	was := SettingsOf(f, b)
	b.Mode, b.UID = 0o606, os.Getuid()
	c, err := PrepareChange(was, f, b)
	if err != nil {
		t.Fatal(err)
	}
	if errs := c.Apply(fds); errs != nil {
		t.Fatal(errs)
	}
	if info, err := os.Stat(b.Address.Path); err != nil || info.Mode().Perm() != 0o606 {
		t.Errorf("mode %v, %v; want 0606", info.Mode(), err)
	}
	was = SettingsOf(f, b)
	b.User = "no-such-user"
	if _, err := PrepareChange(was, f, b); err == nil || !strings.Contains(err.Error(), "no-such-user") {
		t.Errorf("an unknown user: %v", err)
	}
}

// Permissions and owners that a bind line does not name any more become those of a new file. Those that
// it never named stay.
func TestSettingsTakenOutBecomeThoseOfANewFile(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("root only can give files away")
	}
	dir := t.TempDir()
	state := func(path string) string {
		var s unix.Stat_t
		if err := unix.Lstat(path, &s); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%o %d %d", s.Mode&0o7777, s.Uid, s.Gid)
	}
	f := &conf.Frontend{}
	plain, b := unixBind(filepath.Join(dir, "plain")), unixBind(filepath.Join(dir, "s"))
	plain.Mode = 0
	for _, group := range []int{os.Getgid(), 4242} {
		if group == 4242 {
			if err := errors.Join(os.Chown(dir, -1, group), os.Chmod(dir, 0o755|os.ModeSetgid)); err != nil {
				t.Fatal(err)
			}
		}
		plain.Address.Path += "x"
		listening(t, f, plain, 1)
		b.Address.Path += "x"
		b.Mode, b.UID, b.GID = 0o666, 65534, 65534
		fds := listening(t, f, b, 1)
		was := SettingsOf(f, b)
		for _, step := range []struct {
			change func()
			want   string
		}{
			{func() { b.Mode = 0 }, ""},
			{func() { b.UID = -1 }, ""},
			{func() { b.GID = -1 }, state(plain.Address.Path)},
			{func() { _ = os.Chmod(b.Address.Path, 0o640); b.UID = 65534 }, fmt.Sprintf("640 65534 %d", group)},
			{func() { b.UID, b.User = -1, "daemon" }, fmt.Sprintf("640 1 %d", group)},
			{func() { b.User, b.Group = "", "daemon" }, fmt.Sprintf("640 %d 1", os.Getuid())},
			{func() { b.Group = "" }, fmt.Sprintf("640 %d %d", os.Getuid(), group)},
		} {
			step.change()
			c, err := PrepareChange(was, f, b)
			if err != nil {
				t.Fatal(err)
			}
			if errs := c.Apply(fds); errs != nil {
				t.Fatal(errs)
			}
			was = SettingsOf(f, b)
			if got := state(b.Address.Path); step.want != "" && got != step.want {
				t.Errorf("%+v: %s, want %s", was, got, step.want)
			}
		}
	}
}
