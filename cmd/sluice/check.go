package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"sluice/conf"
)

func newCheck() *cobra.Command {
	var files configFiles
	c := &cobra.Command{
		Use:   "check -f FILE",
		Short: "check a configuration and report every error in it",
		Long: `Check a configuration and report every error and warning, without starting
anything. The exit status is 1 if 'sluice run' would refuse the configuration.`,
		Example: `  sluice check -f web.toml
  sluice check -f defaults.cfg -f sites.cfg
  generate-configuration | sluice check -f -`,
		Args: onlyFlags,
		RunE: func(*cobra.Command, []string) error {
			sources, err := files.open(readOnce)
			if err != nil {
				return err
			}
			if err := check(files.String(), sources); err != nil {
				return err
			}
			fmt.Fprintln(os.Stderr, files.String(), "is valid")
			return nil
		},
	}
	files.required(c)
	return c
}

// check tells all that is wrong with a configuration, and returns an error if a
// start would fail.
func check(name string, sources []conf.Source) error {
	s, problems := read(thisMachine(), nil, sources...)
	if s == nil {
		return refusal(name, problems)
	}
	mayNot(s.Conf, &problems)
	r := running{site: s, conf: s.Conf}
	return r.prepare(name, problems)
}

// mayNot warns of conditions that would stop a start now, but may differ at the
// time of the start: the user of the process, and missing directories.
func mayNot(c *conf.Config, problems *conf.Problems) {
	g := &c.Global
	id, _ := identityOf(g) // its problems are known already
	if err := id.allowed(g.Chroot); err != nil {
		problems.Warnf(g.Pos, "%v", err)
	} else if err := id.mayKeep(); err != nil {
		problems.Warnf(g.Place("setcap"), "%v", err)
	}
	if g.PidFile != "" {
		wantDirectory(problems, g.Place("pidfile"), g.PidFile)
		if err := pidFile(g.PidFile).refused(fileOrNothing(g.PidFile)); err != nil {
			problems.Warnf(g.Place("pidfile"), "%v", err)
		}
	}
	for _, s := range g.StatsSockets {
		if s.Address.Net == conf.NetUnix {
			wantDirectory(problems, s.Pos, s.Address.Path)
		}
	}
	for _, f := range c.Frontends {
		for _, b := range f.Binds {
			if b.Address.Net == conf.NetUnix {
				wantDirectory(problems, b.Pos, b.Address.Path)
			}
		}
	}
}

func wantDirectory(problems *conf.Problems, at conf.Pos, path string) {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		problems.Warnf(at, "'%s' can't be made: there is no directory '%s'", path, dir)
	}
}
