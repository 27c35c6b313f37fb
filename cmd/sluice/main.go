package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	err := newRoot().Execute()
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

// exitStatus is the exit status of a command, with the error to print. why is nil if there is nothing
// to print.
type exitStatus struct {
	code int
	why  error
}

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d: %v", s.code, s.why) }
