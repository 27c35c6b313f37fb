package conf

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestManualNamesEveryWord: docs/configuration.md must name every directive that conf supports or
// skips with a warning.
func TestManualNamesEveryWord(t *testing.T) {
	manual, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range documentable() {
		name = strings.TrimSuffix(name, "*")
		if !strings.Contains(string(manual), "`"+name) && !strings.Contains(string(manual), "-"+name+"`") {
			t.Errorf("docs/configuration.md does not name '%s'", name)
		}
	}
}

// documentable returns all directives and keywords that a configuration may contain.
func documentable() []string {
	var names []string
	for _, w := range words {
		names = append(names, w.name)
		if w.shape != notTOML {
			names = append(names, tomlKey(w.name))
		}
	}
	for _, timeout := range timeouts {
		names = append(names, timeout.name)
	}
	for _, more := range [][]string{keysOf(options), impliedOptions, ignoredOptions, serverWords, bindWords, facilities, levels, formats, matchers} {
		names = append(names, more...)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}
