package acl

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestManualNamesEveryFetch: docs/configuration.md must name every fetch and converter.
func TestManualNamesEveryFetch(t *testing.T) {
	manual, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Clone(textMatches)
	for name := range spellings {
		names = append(names, name)
	}
	for name := range conversions {
		names = append(names, name)
	}
	for _, name := range names {
		if !strings.Contains(string(manual), "`"+name) {
			t.Errorf("docs/configuration.md does not name '%s'", name)
		}
	}
}
