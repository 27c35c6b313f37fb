package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// pidFile is the path of the file with the process's pid; empty: none.
type pidFile string

// write writes this process's pid. It replaces the file of a crashed process.
// The new file gets another name first and is then renamed. So a link that
// somebody has made in a shared directory is never followed, and a reader never
// finds a part of a pid.
func (p pidFile) write() error {
	if p == "" {
		return nil
	}
	err := fileOrNothing(string(p))
	if err == nil {
		err = replaceFile(string(p), fmt.Appendf(nil, "%d\n", os.Getpid()))
	}
	return p.refused(err)
}

// refused returns the error of write for the reason err, or nil without one.
func (p pidFile) refused(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("pid file '%s' cannot be written: %w", string(p), pathless(err))
}

// replaceFile writes a file of mode 0644 whole or not at all.
func replaceFile(path string, text []byte) error {
	aside, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = aside.Write(text)
	err = errors.Join(err, aside.Chmod(0o644), aside.Close())
	if err == nil {
		err = os.Rename(aside.Name(), path)
	}
	if err != nil {
		_ = os.Remove(aside.Name())
	}
	return err
}

// remove removes the file if it still holds this process's pid. In a chroot, or
// for an ordinary user in root's directory, it cannot, and the file stays, as
// HAProxy's does.
func (p pidFile) remove() {
	if p == "" {
		return
	}
	if b, err := readOwn(string(p)); err == nil && strings.TrimSpace(string(b)) == fmt.Sprint(os.Getpid()) {
		_ = os.Remove(string(p))
	}
}
