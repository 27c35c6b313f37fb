package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"

	"go.uber.org/zap"
)

// keepCrash lets the runtime write the trace of a crash to path. It is opened
// now, as root and outside the chroot, because a crashed process can only
// write to descriptors that it holds.
func keepCrash(path string) error {
	if path == "" {
		return nil
	}
	f, err := openOwn(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return fmt.Errorf("crash log '%s' cannot be opened: %w", path, err)
	}
	defer f.Close()
	return debug.SetCrashOutput(f, debug.CrashOptions{})
}

// forgetCrash removes the empty file after a run without a crash, if the process
// can still reach it.
func forgetCrash(path string) {
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		_ = os.Remove(path)
	}
}

// tellCrash logs the reason of a crash of the last run, and renames its trace to .old.
func tellCrash(path string, log *zap.Logger) {
	trace, err := readOwn(path)
	if err != nil || len(trace) == 0 {
		return
	}
	old := path + ".old"
	if err := os.Rename(path, old); err != nil {
		old = path
	}
	first, _, _ := bytes.Cut(trace, []byte("\n"))
	log.Error(fmt.Sprintf("the last run crashed with '%s'; its trace is in %s", first, old))
}
