package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// newRoot builds the tree of commands. Errors are returned to main, which prints
// them once, without the usage text that would hide them.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "sluice",
		Short:         "layer-4 TCP load balancer that reads HAProxy's configuration",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),
	}
	root.SetVersionTemplate("sluice {{.Version}}\n")
	root.AddCommand(newRun(), newCheck(), newConvert(), newDiff(), newExplain(), newSniff(), newCtl(), newDemo(), newVersion())
	return root
}

// onlyFlags refuses arguments; mostly a file whose -f was forgotten.
func onlyFlags(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("'%s': wanted only flags; the configuration follows -f", args[0])
	}
	return nil
}
