package site

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/conf"
	"sluice/engine/access"
)

// within is the longest time that a test waits for an expected event.
const within = 10 * time.Second

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, within)
		}
	}
}

// noNames is a LookUp that knows no name.
func noNames(string) (netip.Addr, error) { return netip.Addr{}, errors.New("no such host") }

func parse(t *testing.T, text string) *conf.Config {
	t.Helper()
	c, problems := conf.ParseString("test.cfg", text)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return c
}

func mustCompile(t *testing.T, text string) *Site {
	t.Helper()
	s, problems := Compile(parse(t, text), Outside{LookUp: noNames, Files: conf.Disk{}})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

func openLog(t *testing.T) *access.Log {
	t.Helper()
	log := access.Open("test", zap.NewNop())
	t.Cleanup(log.Close)
	return log
}

// openFiles returns the number of descriptors of this process that refer to a path.
func openFiles(t *testing.T, path string) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil && to == path {
			n++
		}
	}
	return n
}

// logging is a configuration that logs to a file.
func logging(path string) string {
	return `global
  log file@` + path + ` format raw local0
defaults
  log global
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s 127.0.0.1:1
`
}
