package sock

import (
	"cmp"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"sluice/conf"
)

// Settings are the properties of a bind line's sockets that can change while the sockets listen.
// Two values are equal if nothing has to change. The zero value belongs to an inherited socket,
// which is used as it is.
type Settings struct {
	Backlog  int  // length of the queue of connections that wait for accept; the kernel may reduce it
	FastOpen bool // TCP: data in the SYN is accepted, with a queue of the same length
	DelayACK bool // TCP: see the function DelayACK
	Mode     uint32
	User     string // owner of a UNIX socket's file, as in conf.Bind
	Group    string
	UID, GID int
}

// SettingsOf returns the settings that a bind line of a frontend asks for.
func SettingsOf(f *conf.Frontend, b *conf.Bind) Settings {
	backlog := cmp.Or(b.Backlog, f.Backlog, deepest)
	switch b.Address.Net {
	case conf.NetTCP:
		return Settings{Backlog: backlog, FastOpen: b.TFO, DelayACK: f.SmartAccept, UID: -1, GID: -1}
	case conf.NetUnix:
		return Settings{Backlog: backlog, Mode: b.Mode, User: b.User, Group: b.Group, UID: b.UID, GID: b.GID}
	case conf.NetAbstract:
		return Settings{Backlog: backlog, UID: -1, GID: -1}
	}
	return Settings{}
}

// Change is a prepared change of settings.
type Change struct {
	was, to  Settings
	path     string // of a UNIX socket
	mode     uint32 // new permissions of the file; 0: unchanged
	uid, gid int    // new owner of the file; -1: unchanged
}

// PrepareChange returns the change from the settings was to those that a bind line asks for.
// Permissions and owners that the bind line does not name any more become those that a new file would
// have. An unknown user or group is an error.
func PrepareChange(was Settings, f *conf.Frontend, b *conf.Bind) (Change, error) {
	c := Change{was: was, to: SettingsOf(f, b), path: b.Address.Path, uid: -1, gid: -1}
	if !c.changesFile() {
		return c, nil
	}
	var err error
	c.mode = b.Mode
	if c.uid, c.gid, err = owner(b); err != nil {
		return c, err
	}
	return c, c.restoreDefaults()
}

// restoreDefaults sets permissions and owners that the bind line does not name any more. The owner of
// a new file is the user of the process that makes it.
func (c *Change) restoreDefaults() (err error) {
	if c.mode == 0 && c.was.Mode != 0 {
		if c.mode, err = defaultMode(); err != nil {
			return fmt.Errorf("the permissions of a new socket file are unknown: %w", err)
		}
	}
	if c.uid < 0 && (c.was.UID >= 0 || c.was.User != "") {
		c.uid = os.Geteuid()
	}
	if c.gid < 0 && (c.was.GID >= 0 || c.was.Group != "") {
		c.gid = defaultGroup(c.path)
	}
	return nil
}

// Apply changes all sockets of the bind line. After an error it continues, and returns all errors.
func (c *Change) Apply(fds []int) (errs []error) {
	failed := func(what string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s can't be changed: %w", what, err))
		}
	}
	for _, fd := range fds {
		if c.to.Backlog != c.was.Backlog {
			failed("the backlog", syscallError("listen", rawListen(fd, c.to.Backlog)))
		}
		if c.to.fastOpenQueue() != c.was.fastOpenQueue() {
			failed("'tfo'", syscallError("setsockopt", rawOption(fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN, c.to.fastOpenQueue())))
		}
		if c.to.DelayACK != c.was.DelayACK {
			setDelayACK(fd, c.to.DelayACK)
		}
	}
	if c.changesFile() {
		failed("the file", grantFile(c.path, c.mode, c.uid, c.gid))
	}
	return errs
}

// changesFile reports whether permissions or owner of a UNIX socket's file change.
func (c *Change) changesFile() bool {
	a, b := c.was, c.to
	a.Backlog, b.Backlog = 0, 0
	a.FastOpen, b.FastOpen = false, false
	a.DelayACK, b.DelayACK = false, false
	return a != b
}

// fastOpenQueue returns the value of the option TCP_FASTOPEN: the maximum number of connections with
// data in the SYN whose handshake is under way; 0: none are accepted.
func (s *Settings) fastOpenQueue() int {
	if s.FastOpen {
		return s.Backlog
	}
	return 0
}

// syscallError returns nil for 0.
func syscallError(call string, e Errno) error {
	if e == 0 {
		return nil
	}
	return os.NewSyscallError(call, e)
}
