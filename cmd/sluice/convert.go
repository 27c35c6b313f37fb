package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sluice/conf"
	"sluice/conf/haproxy"
)

func newConvert() *cobra.Command {
	var files configFiles
	c := &cobra.Command{
		Use:   "convert FILE...",
		Short: "rewrite a haproxy.cfg as TOML",
		Long: `Rewrite a haproxy.cfg as TOML on standard output. Several files are one
configuration. Errors and warnings go to standard error. The exit status is 1
where 'sluice check' would refuse the configuration; the TOML is still written
if every line could be read.

Environment variables are replaced by their values, with a warning. Comments are
left out, and so are directives without effect, such as description and id.`,
		Example: `  sluice convert haproxy.cfg > web.toml
  sluice convert - < haproxy.cfg`,
		RunE: func(c *cobra.Command, args []string) error {
			files.paths = append(files.paths, args...)
			if len(files.paths) == 0 {
				return errors.New("no file: wanted sluice convert haproxy.cfg")
			}
			return convert(c, &files)
		},
	}
	files.flag(c)
	return c
}

func convert(c *cobra.Command, files *configFiles) error {
	sources, err := files.open(readOnce)
	if err != nil {
		return err
	}
	if cfg, problems := conf.Parse(sources...); problems.Err() == nil {
		if err := conf.WriteTOML(c.OutOrStdout(), cfg); err != nil {
			return err
		}
		for _, p := range replaced(sources) {
			fmt.Fprintln(os.Stderr, p)
		}
	}
	return check(files.String(), sources)
}

// replaced warns of the environment variables in files of HAProxy's notation: the
// TOML has their values and does not follow the environment any more.
func replaced(sources []conf.Source) (problems conf.Problems) {
	for _, src := range sources {
		if strings.HasSuffix(src.Name, ".toml") {
			continue
		}
		var names []string
		note := func(name string) (string, bool) {
			names = append(names, name)
			return os.LookupEnv(name)
		}
		for line := range haproxy.Lines(src.Data, note) {
			for _, name := range names {
				problems.Warnf(conf.Pos{File: src.Name, Line: line.Number},
					"the environment variable '%s' is replaced by its value; in TOML, too, \"${%s}\" would follow the environment", name, name)
			}
			names = nil
		}
	}
	return problems
}
