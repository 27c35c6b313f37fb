package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"

	"sluice/conf"
	"sluice/engine/site"
)

// origin is the place of the configuration of a running process.
type origin struct {
	files    configFiles // without paths: the configuration is a part of this program
	home     string      // directory of the start, to which relative paths refer; empty: not known
	ended    []bool      // by file: the text in use ends with a line feed
	left     bool        // the process has left home, as a daemon does
	absolute bool        // paths of sockets to connect to are made absolute, see absoluteSockets
}

// originOf returns the origin of the configuration with which the process starts. It is called
// before the process leaves its directory.
func originOf(l *launch, c *conf.Config) origin {
	o := origin{files: configFiles{paths: l.files.paths}, ended: slices.Clone(l.ended), left: l.daemon, absolute: l.leavesHome(c)}
	if l.builtIn {
		o.files = configFiles{}
	}
	o.home, _ = os.Getwd() // without a working directory only absolute paths can be read again
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
	if !o.left || o.home == "" || os.Chdir(o.home) != nil {
		return func() {}
	}
	return func() { _ = os.Chdir("/") }
}

// read reads, checks and compiles the files. An error says that the new configuration cannot be
// used; the problems then have the reasons if there are any.
func (o *origin) read(out site.Outside) (*site.Site, []conf.Source, conf.Problems, error) {
	if err := o.readable(); err != nil {
		return nil, nil, nil, err
	}
	files := o.files
	sources, err := files.open(conf.Disk{}.ReadFile)
	if errors.Is(err, conf.ErrSpecial) {
		err = fmt.Errorf("%w, wanted one: a pipe or device cannot be read again", err)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	if err := o.complete(sources); err != nil {
		return nil, nil, nil, err
	}
	s, problems := read(out, o.change, sources...)
	if s == nil {
		return nil, nil, problems, fmt.Errorf("%s is not valid: %s", o, count(problems))
	}
	return s, sources, problems, nil
}

// complete returns an error if a file has lost the line feed at its end, because it may be read while
// somebody writes it. HAProxy refuses each file without this line feed; Sluice takes it at the start,
// when somebody watches.
func (o *origin) complete(sources []conf.Source) error {
	for i, now := range ended(sources) {
		if o.ended[i] && !now {
			return fmt.Errorf("configuration '%s' does not end with a line feed, as it did before: it may be truncated; write all of it, then reload again", sources[i].Name)
		}
		o.ended[i] = now
	}
	return nil
}

// ended reports for each file whether it ends with a line feed.
func ended(sources []conf.Source) []bool {
	all := make([]bool, len(sources))
	for i, s := range sources {
		all[i] = bytes.HasSuffix(s.Data, []byte("\n"))
	}
	return all
}

// change makes the changes to a new configuration that launch.complete made to the first one.
func (o *origin) change(c *conf.Config) {
	if o.absolute {
		absoluteSockets(c, o.home)
	}
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
