package conf

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// alike compares configurations but for where things are written.
func alike(a, b *Config) string {
	return cmp.Diff(a, b,
		cmpopts.IgnoreTypes(Pos{}, Places{}),
		cmpopts.EquateComparable(Address{}.IP, ForwardFor{}.Except),
		cmpopts.EquateEmpty())
}

func load(t *testing.T, path string) *Config {
	t.Helper()
	cfg, problems := Load(path)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestSeedSaysTheSameInBothFormats(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "examples")
	cfg, toml := load(t, filepath.Join(dir, "seed.cfg")), load(t, filepath.Join(dir, "seed.toml"))
	if diff := alike(cfg, toml); diff != "" {
		t.Error(diff)
	}
}
