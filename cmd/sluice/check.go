package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func newCheck() *cobra.Command {
	var files []string
	c := &cobra.Command{
		Use:   "check -f FILE",
		Short: "check a configuration and say all that is wrong with it",
		Args:  onlyFlags,
		RunE:  func(*cobra.Command, []string) error { return check(files) },
	}
	fileFlag(c, &files)
	return c
}

func check(files []string) error {
	_, problems, err := readFiles(files)
	if err != nil {
		return err
	}
	if err := refusal(named(files), problems); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, named(files), "is valid")
	return nil
}
