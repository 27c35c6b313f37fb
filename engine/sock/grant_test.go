//go:build !simulation

package sock

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// A symbolic link at the path of a socket, which somebody with rights in its directory can make at
// any time, does not lead to a change of another file.
func TestGrantFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	secret, path := filepath.Join(dir, "secret"), filepath.Join(dir, "socket")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, at := range []struct {
		name  string
		put   func() error
		wants error
	}{
		{"a link", func() error { return os.Symlink(secret, path) }, errNoSocketFile},
		{"a link of the file", func() error { return os.Link(secret, path) }, errNoSocketFile},
		{"a socket", func() error {
			l, err := net.Listen("unix", path)
			if err == nil {
				t.Cleanup(func() { _ = l.Close() })
			}
			return err
		}, nil},
	} {
		if err := at.put(); err != nil {
			t.Fatal(err)
		}
		if err := grantFile(path, 0o666, os.Getuid(), os.Getgid()); !errors.Is(err, at.wants) {
			t.Errorf("%s: got %v, want %v", at.name, err, at.wants)
		}
		info, err := os.Stat(secret)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: the file behind it has mode %v, %v", at.name, info.Mode(), err)
		}
		if at.wants == nil {
			if info, err = os.Stat(path); err != nil || info.Mode().Perm() != 0o666 {
				t.Errorf("%s: got mode %v, %v", at.name, info.Mode(), err)
			}
		}
		_ = os.Remove(path)
	}
}
