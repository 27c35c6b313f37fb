package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// fileOrNothing refuses a path at which root must not write: a link may lead to
// any file of the system, and a device must not be replaced by a file.
func fileOrNothing(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().IsRegular():
		return nil
	case info.Mode().Type() == fs.ModeSymlink:
		return errors.New("a symbolic link is there, wanted a file or nothing")
	case info.IsDir():
		return errors.New("a directory is there, wanted a file or nothing")
	}
	return errors.New("a device, pipe or socket is there, wanted a file or nothing")
}

// openOwn opens a file of mode 0600 and follows no link at its end.
func openOwn(path string, flags int) (*os.File, error) {
	if err := fileOrNothing(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, flags|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, pathless(err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("it is no file any more: %w", errors.Join(err, fs.ErrInvalid))
	}
	return f, nil
}

func readOwn(path string) ([]byte, error) {
	f, err := openOwn(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
