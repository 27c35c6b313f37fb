package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMain lets the test binary act as sluice for tests that start it by that
// name; a daemon's child is started the same way.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "sluice" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}
