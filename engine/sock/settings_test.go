//go:build !simulation

package sock

import (
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
