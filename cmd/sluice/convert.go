package main

import (
	"github.com/spf13/cobra"

	"sluice/conf"
)

func newConvert() *cobra.Command {
	return &cobra.Command{
		Use:   "convert FILE",
		Short: "rewrite a haproxy.cfg as TOML",
		Long: `Rewrite a haproxy.cfg as TOML on standard output. What should be known about
it, such as words of old versions and their successors, goes to standard error.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, problems := conf.Load(args[0])
			if err := refusal(args[0], problems); err != nil {
				return err
			}
			return conf.WriteTOML(c.OutOrStdout(), cfg)
		},
	}
}
