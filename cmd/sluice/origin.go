package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"sluice/conf"
	"sluice/engine/site"
)

// origin is the place of the configuration of a running process, with the facts that decide whether
// the process can read it again.
type origin struct {
	files  configFiles // without paths: the configuration is a part of this program
	home   string      // directory of the start, in which a daemon no longer is; empty: the process is still there
	chroot string      // root directory that the process has entered; empty: none
	uid    int         // user to which the process has changed; -1: it has kept its user
}

// originOf returns the origin of the configuration c, with which the process starts. It is called
// before the process enters a chroot or changes its user.
func originOf(l *launch, c *conf.Config, id identity, daemon bool) origin {
	o := origin{files: configFiles{paths: l.files.paths}, chroot: c.Global.Chroot, uid: -1}
	if l.builtIn {
		o.files = configFiles{}
	}
	if id.changes() {
		o.uid = id.uid
	}
	if daemon && o.chroot == "" {
		o.home, _ = os.Getwd() // without a working directory only absolute paths can be read again
	}
	return o
}

// String names the files in messages.
func (o *origin) String() string {
	if len(o.files.paths) == 0 {
		return "the configuration"
	}
	return o.files.String()
}

// enter enters the directory of the start, to which relative paths of the configuration refer.
// Without that directory only these paths fail. The result leaves it again, so that its file system
// can be unmounted.
func (o *origin) enter() (leave func()) {
	if o.home == "" || os.Chdir(o.home) != nil {
		return func() {}
	}
	return func() { _ = os.Chdir("/") }
}

// read reads, checks and compiles the files. The report has all problems. The site is nil if one of
// them is an error.
func (o *origin) read(out site.Outside) (*site.Site, report) {
	if err := o.readable(); err != nil {
		return nil, report{}.refused(err)
	}
	files := o.files
	s, problems, err := files.read(out, func(c *conf.Config) {
		if o.home != "" {
			absoluteSockets(c)
		}
	})
	if err != nil {
		return nil, o.explain(report{}.refused(err))
	}
	said := report{}.found(problems)
	if s == nil {
		return nil, o.explain(said.refused(fmt.Errorf("%s is not valid: %s", o, count(problems))))
	}
	return s, said
}

// readable returns an error if the configuration cannot be read a second time.
func (o *origin) readable() error {
	if len(o.files.paths) == 0 {
		return errors.New("the configuration is a part of this program, so there is nothing to read again")
	}
	for _, path := range o.files.paths {
		if path == stdinCfg || path == stdinTOML {
			return errors.New("the configuration came from standard input, which cannot be read again: start with -f FILE to be able to reload")
		}
	}
	return nil
}

// denied are the texts of errors of a process without rights. outside are those of a process that
// does not see a file, or the users and resolvers of the machine.
var (
	denied  = []string{syscall.EACCES.Error(), syscall.EPERM.Error()}
	outside = append([]string{"no such", "unknown user", "unknown group", "can't be resolved"}, denied...)
)

// explain adds what to do to the report of a reload that failed because the process has given up
// its rights.
func (o *origin) explain(p report) report {
	switch {
	case o.chroot != "" && p.mentions(outside):
		return p.because("the process is in the chroot '%s' and sees only what is below it: restart the process to apply a new configuration", o.chroot)
	case o.uid > 0 && p.mentions(denied):
		return p.because("the process has given up the rights of its start and is uid %d now: give this user the permission, or restart the process to apply a new configuration", o.uid)
	}
	return p
}

// mentions reports whether a message contains one of the texts.
func (p report) mentions(texts []string) bool {
	return slices.ContainsFunc(p.messages, func(m message) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(m.text, text) })
	})
}
