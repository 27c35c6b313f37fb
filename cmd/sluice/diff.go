package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"sluice/conf"
	"sluice/conf/diff"
)

// The exit statuses of `sluice diff`, as of diff(1). 0 means no difference.
const (
	differs = 1
	trouble = 2
)

func newDiff() *cobra.Command {
	c := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "say what changes between two configurations",
		Long: `Say what changes from one configuration to another, one change a line. The files
may be in different notations. Comments, the order of sections and lines that
only moved in the file are no changes; the order of rules and of servers is. A
setting in a defaults section is told for each proxy that it changes.

A change that a running process cannot make ends with 'restart:' and the reason.
Contents of pattern files (acl -f) and addresses of host names are not compared:
both configurations would find the same ones now. A reload compares them with
those that the process uses.

One of the files may be standard input: - for a haproxy.cfg, and -.toml after --.

The exit status is 0 without differences, 1 with differences, and 2 if a file
cannot be read or is not valid.`,
		Example: `  sluice diff /etc/sluice/sluice.toml new.toml
  sluice diff haproxy.cfg sluice.toml
  generate-configuration | sluice diff haproxy.cfg -

  backend app: server s1: weight 10 is now 20
  frontend web: use_backend rule 3 changed: 'use_backend a if x' is now 'use_backend b if x'
  global: nbthread 2 is now 4 (restart: the event loops are made at the start)`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return exitStatus{trouble, fmt.Errorf("%s, wanted sluice diff OLD NEW", plural(len(args), "file"))}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			changes, err := changesBetween(args[0], args[1])
			if err == nil {
				err = printChanges(c.OutOrStdout(), changes)
			}
			switch {
			case err != nil:
				return exitStatus{trouble, err}
			case len(changes) > 0:
				return exitStatus{differs, nil}
			}
			return nil
		},
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exitStatus{trouble, err} })
	return c
}

func changesBetween(was, is string) ([]diff.Change, error) {
	stdin := []string{stdinCfg, stdinTOML}
	if slices.Contains(stdin, was) && slices.Contains(stdin, is) {
		return nil, errors.New("both files are standard input, wanted it once")
	}
	before, err := parse(was)
	if err != nil {
		return nil, err
	}
	after, err := parse(is)
	if err != nil {
		return nil, err
	}
	return diff.Between(before, after), nil
}

// parse reads one configuration. It prints its problems if it is not valid.
func parse(path string) (*conf.Config, error) {
	files := configFiles{paths: []string{path}}
	sources, err := files.open(readOnce)
	if err != nil {
		return nil, err
	}
	c, problems := conf.Parse(sources...)
	if c == nil {
		return nil, refusal(files.String(), problems)
	}
	return c, nil
}

func printChanges(w io.Writer, changes []diff.Change) error {
	for _, c := range changes {
		line := c.String()
		if why := c.Fixed(); why != "" {
			line += " (restart: " + why + ")"
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
