package conf

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the .want files")

const badDir = "testdata/bad"

// TestBadConfigurationsSayExactlyThis compares all messages for each bad configuration with the
// .want file of the same name.
func TestBadConfigurationsSayExactlyThis(t *testing.T) {
	t.Setenv("SLUICE_TEST_PORT", "8080")
	count := 0
	for _, pattern := range []string{"*.cfg", "*.toml"} {
		paths, err := filepath.Glob(filepath.Join(badDir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		count += len(paths)
		for _, path := range paths {
			t.Run(filepath.Base(path), func(t *testing.T) { bad(t, path) })
		}
	}
	if count < 60 {
		t.Errorf("%d bad configurations, wanted at least 60", count)
	}
}

func bad(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, problems := Parse(Source{filepath.Base(path), data})
	var text strings.Builder
	for _, p := range problems {
		text.WriteString(p.String() + "\n")
	}
	golden(t, path+".want", text.String())
	if text.Len() == 0 {
		t.Error("no message, wanted one")
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("messages changed (-update accepts them)\ngot:\n%s\nwant:\n%s", got, want)
	}
}
