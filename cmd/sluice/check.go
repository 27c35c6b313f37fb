package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func newCheck() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "check -f FILE",
		Short: "check a configuration and say all that is wrong with it",
		Args:  onlyFlags,
		RunE:  func(*cobra.Command, []string) error { return check(file) },
	}
	fileFlag(c, &file)
	return c
}

func check(file string) error {
	_, problems, err := readFile(file)
	if err != nil {
		return err
	}
	if err := refusal(file, problems); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, file, "is valid")
	return nil
}
