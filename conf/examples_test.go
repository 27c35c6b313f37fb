package conf

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The directories with example configurations: those of the repository, and the reference files of
// both formats beside it.
var exampleDirs = []string{"../examples", "../examples/wsgi", "../../shared/examples"}

// noConfiguration reports whether a file is not a configuration, for example an application or a
// text.
func noConfiguration(path string) bool {
	return filepath.Ext(path) != ".cfg" && filepath.Ext(path) != ".toml"
}

// alike returns the differences between two configurations, except positions.
func alike(a, b *Config) string {
	return cmp.Diff(a, b,
		cmpopts.IgnoreTypes(Pos{}, Places{}),
		cmpopts.EquateComparable(Address{}.IP, ForwardFor{}.Except),
		cmpopts.EquateEmpty())
}

func load(t *testing.T, path string) *Config {
	t.Helper()
	cfg, problems := Parse(source(t, path))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func source(t *testing.T, path string) Source {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return Source{path, text}
}

// eachExample runs a test for every configuration in the example directories.
func eachExample(t *testing.T, pattern string, test func(t *testing.T, path string)) {
	t.Helper()
	for _, dir := range exampleDirs {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		paths = slices.DeleteFunc(paths, noConfiguration)
		if len(paths) == 0 && dir != exampleDirs[2] {
			t.Fatalf("no %s in %s", pattern, dir)
		}
		for _, path := range paths {
			t.Run(filepath.Base(path), func(t *testing.T) { test(t, path) })
		}
	}
}

func TestExamplesSayTheSameInBothFormats(t *testing.T) {
	eachExample(t, "*.cfg", func(t *testing.T, path string) {
		t.Helper()
		if diff := alike(load(t, path), load(t, strings.TrimSuffix(path, ".cfg")+".toml")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOwnExamplesAreWithoutRemarks(t *testing.T) {
	eachExample(t, "*.*", func(t *testing.T, path string) {
		t.Helper()
		_, problems := Parse(source(t, path))
		if own := !strings.HasPrefix(path, exampleDirs[2]); own && len(problems) > 0 {
			t.Errorf("%v", problems)
		}
	})
}

func TestExamplesSurviveWriteTOML(t *testing.T) {
	eachExample(t, "*.*", func(t *testing.T, path string) {
		t.Helper()
		roundTrip(t, load(t, path))
	})
}

// roundTrip writes a configuration as TOML and parses the result. Both must be equal.
func roundTrip(t interface {
	Helper()
	Fatalf(string, ...any)
}, cfg *Config) string {
	t.Helper()
	var text strings.Builder
	if err := WriteTOML(&text, cfg); err != nil {
		t.Fatalf("write: %v", err)
	}
	again, problems := ParseString("again.toml", text.String())
	if err := problems.Err(); err != nil {
		t.Fatalf("what was written does not parse: %v\n%s", err, text.String())
	}
	if diff := alike(cfg, again); diff != "" {
		t.Fatalf("not the same: %s\n%s", diff, text.String())
	}
	return text.String()
}

// The haproxy.cfg of Debian's package. It has no listener. With an appended proxy in mode tcp it
// must be valid.
const debianStock = "/etc/haproxy/haproxy.cfg"

func TestDebiansStockFileCarriesAProxyInModeTCP(t *testing.T) {
	stock, err := os.ReadFile(debianStock)
	if err != nil {
		t.Skipf("Debian's haproxy package is not installed: %v", err)
	}
	added := "\nlisten ssh\n  mode tcp\n  bind 127.0.0.1:2222\n  server a 192.0.2.1:22\n"
	cfg, problems := ParseString("haproxy.cfg", string(stock)+added)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if got := cfg.Frontends[0].Log.Format; got != LogTCP {
		t.Errorf("log format %d, wanted tcplog for a proxy in mode tcp", got)
	}
	roundTrip(t, cfg)
}
