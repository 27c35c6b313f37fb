package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
)

func main() {
	root := newRoot()
	root.SetArgs(haproxyFlags(os.Args[1:]))
	err := root.Execute()
	if err == nil {
		return
	}
	exit, known := errors.AsType[exitStatus](err)
	if !known {
		exit = exitStatus{1, err}
	}
	if exit.why != nil {
		fmt.Fprintln(os.Stderr, "sluice:", exit.why)
	}
	os.Exit(exit.code)
}

// haproxyFlags replaces two flags of HAProxy that look like several short flags in one word: -Ws (a
// master that reports to systemd, as every one does here) and -db (no daemon).
func haproxyFlags(args []string) []string {
	if len(args) == 0 || args[0] != "run" {
		return args
	}
	own := map[string]string{"-Ws": "-W", "-db": "--daemon=false"}
	args = slices.Clone(args)
	for i, arg := range args {
		args[i] = cmp.Or(own[arg], arg)
	}
	return args
}

// exitStatus is the exit status of this program, with the error to print. why is nil if there is nothing
// to print.
type exitStatus struct {
	code int
	why  error
}

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d: %v", s.code, s.why) }
