package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestNothingIsWrittenThroughLinks: pid file and crash log are written as root,
// and may lie where others can put links.
func TestNothingIsWrittenThroughLinks(t *testing.T) {
	dir := t.TempDir()
	precious, link, pipe := filepath.Join(dir, "precious"), filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	err := errors.Join(os.WriteFile(precious, []byte("precious"), 0o600), os.Symlink(precious, link), syscall.Mkfifo(pipe, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ flag, path, want string }{
		{"--pid-file", link, "pid file '" + link + "' cannot be written: a symbolic link is there, wanted a file or nothing"},
		{"--pid-file", pipe, "pid file '" + pipe + "' cannot be written: a device, pipe or socket is there, wanted a file or nothing"},
		{"--crash-log", link, "crash log '" + link + "' cannot be opened: a symbolic link is there, wanted a file or nothing"},
		{"--crash-log", dir, "crash log '" + dir + "' cannot be opened: a directory is there, wanted a file or nothing"},
	} {
		p, closeSocket := command(t, "run", c.flag, c.path, "-f", config(t, echo(t)))
		p.refuses(t, closeSocket, c.want)
		if strings.Contains(p.stderr.String(), "crashed with") {
			t.Errorf("%s %s: the file behind the link was read", c.flag, c.path)
		}
	}
	if text, err := os.ReadFile(precious); err != nil || string(text) != "precious" {
		t.Errorf("the file behind the link now holds %q, %v", text, err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 3 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

// TestPidFileReplacesWhatACrashLeft: whole, readable by all, nothing beside it.
func TestPidFileReplacesWhatACrashLeft(t *testing.T) {
	dir := t.TempDir()
	path := pidFile(filepath.Join(dir, "pid"))
	if err := os.WriteFile(string(path), []byte("4711 of an earlier process\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := path.write(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(string(path))
	if err != nil || info.Mode() != 0o644 || info.Size() > 10 {
		t.Errorf("got %v of %d bytes, %v; want mode 0644 and the pid", info.Mode(), info.Size(), err)
	}
	path.remove()
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}
