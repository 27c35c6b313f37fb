package main

import (
	"runtime/debug"
	"testing"
)

func TestReleased(t *testing.T) {
	for _, tt := range []struct{ noted, want string }{
		{"2026-11-25T04:19:54Z", "2026/11/25"}, {"yesterday", ""}, {"", ""},
	} {
		info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs", Value: "2025-01-01T00:00:00Z"}, {Key: "vcs.time", Value: tt.noted}}}
		if got := releasedOf(info); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.noted, got, tt.want)
		}
	}
}
