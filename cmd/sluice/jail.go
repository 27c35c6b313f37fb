package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// enterJail makes dir the root of the file system, and creates it where it is
// missing. A jail nobody can write to is the safe default, hence 0555.
func enterJail(dir string, log *zap.Logger) error {
	if dir == "" {
		return nil
	}
	if err := makeJail(dir, log); err != nil {
		return err
	}
	loadZone()
	if err := syscall.Chroot(dir); err != nil {
		return fmt.Errorf("chroot '%s': %w", dir, err)
	}
	return os.Chdir("/")
}

// jailExists reports whether dir is there. What is no directory can't become
// the root of the file system.
func jailExists(dir string) (bool, error) {
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return false, fmt.Errorf("chroot '%s': not a directory", dir)
	case err == nil:
		return true, nil
	case !errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("chroot '%s': %w", dir, err)
	}
	return false, nil
}

func makeJail(dir string, log *zap.Logger) error {
	if there, err := jailExists(dir); there || err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("chroot '%s' cannot be created: %w", dir, err)
	}
	if err := os.Mkdir(dir, 0o555); err != nil {
		return fmt.Errorf("chroot '%s' cannot be created: %w", dir, err)
	}
	log.Info(fmt.Sprintf("chroot directory '%s' was missing: created empty, root's, mode 0555", dir))
	return os.Chmod(dir, 0o555) // the umask may have removed bits
}

// loadZone makes the time package read /etc/localtime now. It would otherwise do
// so on first use; inside the chroot the file is missing, and log times would
// silently be UTC.
func loadZone() { _, _ = time.Now().Zone() }
