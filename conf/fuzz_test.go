package conf

import (
	"os"
	"path/filepath"
	"testing"
)

// seedCorpus adds all examples and all bad configurations of one format.
func seedCorpus(f *testing.F, ext string) {
	f.Helper()
	for _, dir := range append(exampleDirs, badDir) {
		paths, err := filepath.Glob(filepath.Join(dir, "*"+ext))
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
}

// fuzz checks that no input panics, and that a valid configuration is equal after WriteTOML and
// Parse.
func fuzz(f *testing.F, name string) {
	f.Helper()
	seedCorpus(f, filepath.Ext(name))
	f.Fuzz(func(t *testing.T, text string) {
		cfg, problems := ParseString(name, text)
		if (cfg == nil) != (problems.Err() != nil) {
			t.Fatalf("a configuration or an error, wanted one of them: %v", problems)
		}
		if cfg != nil {
			roundTrip(t, cfg)
		}
	})
}

func FuzzTOML(f *testing.F) { fuzz(f, "fuzz.toml") }

func FuzzHAProxy(f *testing.F) { fuzz(f, "fuzz.cfg") }
