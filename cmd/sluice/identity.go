package main

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"sluice/conf"
)

// identity is the user and group that the process takes once it no longer
// needs root. -1 leaves that number as it is.
type identity struct {
	uid, gid int
	keep     capabilities // that stay without root
}

// identityOf looks up `user` and `group` in the system's own files, so it must
// be called before the chroot. Each problem has the place of its directive.
func identityOf(g *conf.Global) (id identity, problems conf.Problems) {
	id = identity{uid: g.UID, gid: g.GID, keep: capabilitiesOf(g)}
	report := func(word string, err error) {
		if err != nil {
			problems.Errorf(g.Place(word), "%v", err)
		}
	}
	var err error
	word := "uid"
	if g.User != "" {
		word = "user"
		id.uid, err = uidOf(g.User)
		report(word, err)
	}
	if g.Group != "" {
		id.gid, err = gidOf(g.Group)
		report("group", err)
	} else if id.uid >= 0 && id.gid < 0 && id.uid != os.Geteuid() {
		id.gid, err = primaryGroup(id.uid)
		report(word, err)
	}
	return id, problems
}

// primaryGroup returns the group for a configuration that names only a user.
// HAProxy keeps the group of its start, which is root's. A process that dropped
// root could then still read the files of root's group.
func primaryGroup(uid int) (int, error) {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return -1, fmt.Errorf("uid %d without 'gid' or 'group': no user of this machine has that number, so its group is not known, and the process would keep root's; add gid", uid)
	}
	return strconv.Atoi(u.Gid)
}

func uidOf(name string) (int, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return -1, fmt.Errorf("user '%s': no such user on this machine", name)
	}
	return strconv.Atoi(u.Uid)
}

func gidOf(name string) (int, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return -1, fmt.Errorf("group '%s': no such group on this machine", name)
	}
	return strconv.Atoi(g.Gid)
}

// changes reports whether the process has to change its user or group.
func (id identity) changes() bool {
	return id.uid >= 0 && id.uid != os.Geteuid() || id.gid >= 0 && id.gid != os.Getegid()
}

// allowed returns an error, before anything is bound, if only root can do this.
func (id identity) allowed(chroot string) error {
	if os.Geteuid() == 0 {
		return nil
	}
	if chroot != "" {
		return fmt.Errorf("chroot '%s' needs root, this process is uid %d", chroot, os.Geteuid())
	}
	if id.changes() {
		return fmt.Errorf("uid and gid (user, group) need root to change, this process is uid %d", os.Geteuid())
	}
	return nil
}

// leavesRoot reports whether the process changes from root to an ordinary user.
func (id identity) leavesRoot() bool { return os.Geteuid() == 0 && id.uid > 0 }

// mayKeep returns an error if the process cannot do what `setcap` says.
func (id identity) mayKeep() error {
	if id.keep == 0 {
		return nil
	}
	own, err := ownCapabilities()
	if err != nil {
		return err
	}
	missing := id.keep &^ own.permitted
	if id.leavesRoot() && missing != 0 {
		return fmt.Errorf("'setcap' cannot keep %s: this process is root, but was started without it, as in a container with fewer capabilities", missing)
	}
	if id.leavesRoot() || id.keep.toRaise(own) != 0 {
		return changeable()
	}
	return nil
}

// become drops supplementary groups, gid and uid for good, in that order: each
// step needs the rights that the next one gives up. Of the capabilities only
// those of `setcap` stay. A process that changes neither user nor group keeps
// all rights; it makes those capabilities of `setcap` effective that it was
// started with.
func (id identity) become() error {
	if !id.changes() {
		return id.keep.raise()
	}
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("setgroups to none: %w", err)
	}
	if id.gid >= 0 {
		if err := syscall.Setgid(id.gid); err != nil {
			return fmt.Errorf("setgid %d: %w", id.gid, err)
		}
	}
	if id.uid < 0 {
		return nil
	}
	setuid := id.setuid
	if id.keep != 0 && id.leavesRoot() {
		setuid = func() error { return id.keep.across(id.setuid) }
	}
	if err := setuid(); err != nil {
		return err
	}
	return noWayBack(id.uid)
}

func (id identity) setuid() error {
	if err := syscall.Setuid(id.uid); err != nil {
		return fmt.Errorf("setuid %d: %w", id.uid, err)
	}
	return nil
}

// noWayBack checks that root is gone by trying to become root again.
func noWayBack(uid int) error {
	if uid == 0 {
		return nil
	}
	if syscall.Setuid(0) == nil || syscall.Seteuid(0) == nil || os.Geteuid() == 0 {
		return fmt.Errorf("setuid %d did not stick: uid 0 could be taken back", uid)
	}
	return nil
}
