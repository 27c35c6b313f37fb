package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"sluice/conf"
)

func newConvert() *cobra.Command {
	return &cobra.Command{
		Use:   "convert FILE",
		Short: "rewrite a haproxy.cfg as TOML",
		Long: `Rewrite a haproxy.cfg as TOML on standard output. What should be known about
it, such as words of old versions and their successors, goes to standard error.`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) error {
			sources, err := open(args)
			if err != nil {
				return err
			}
			cfg, problems := conf.Parse(sources...)
			if err := refusal(args[0], problems); err != nil {
				return err
			}
			return conf.WriteTOML(c.OutOrStdout(), cfg)
		},
	}
}

func oneFile(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%d files, wanted one: sluice convert haproxy.cfg", len(args))
	}
	return nil
}
