package main

import (
	"fmt"
	"os"
	"strings"
)

// pidFile is the path the process's pid is written to; empty is none.
type pidFile string

// write puts this process's pid, replacing what a crashed one left behind.
func (p pidFile) write() error {
	if p == "" {
		return nil
	}
	if err := os.WriteFile(string(p), fmt.Appendf(nil, "%d\n", os.Getpid()), 0o644); err != nil {
		return fmt.Errorf("pid file '%s' cannot be written: %w", string(p), pathless(err))
	}
	return nil
}

// remove takes the file away if it is still ours and still in reach. From
// inside a chroot, or as an ordinary user in root's directory, it stays, as
// HAProxy's does.
func (p pidFile) remove() {
	if p == "" {
		return
	}
	if b, err := os.ReadFile(string(p)); err == nil && strings.TrimSpace(string(b)) == fmt.Sprint(os.Getpid()) {
		_ = os.Remove(string(p))
	}
}
