package main

import (
	"errors"

	"github.com/spf13/cobra"

	"sluice/conf"
)

func newConvert() *cobra.Command {
	var files configFiles
	c := &cobra.Command{
		Use:   "convert FILE...",
		Short: "rewrite a haproxy.cfg as TOML",
		Long: `Rewrite a haproxy.cfg as TOML on standard output. Several files are one
configuration. Errors and warnings go to standard error. The exit status is 1
where 'sluice check' would refuse the configuration; the TOML is still written
if every line could be read.`,
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
	sources, err := files.open()
	if err != nil {
		return err
	}
	if cfg, problems := conf.Parse(sources...); problems.Err() == nil {
		if err := conf.WriteTOML(c.OutOrStdout(), cfg); err != nil {
			return err
		}
	}
	return check(files.String(), sources)
}
