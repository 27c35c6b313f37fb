package main

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// command is told to end, not killed, when the context is done: it has things
// of its own to clean up.
func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	return cmd
}

// appendTo runs a command whose output goes to the end of a file.
func appendTo(path string, cmd *exec.Cmd) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	cmd.Stdout = f
	if err := cmd.Run(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
