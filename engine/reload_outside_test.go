//go:build !simulation

package engine

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sluice/conf"
	"sluice/engine/site"
)

// A reload and its dry run name changes that are not in the text of the configuration: those of
// pattern files and of the addresses of host names.
func TestReloadNamesChangesOutsideOfTheText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	text := "frontend f\n  bind 127.0.0.1:1\n  acl a src -f " + path + "\n  use_backend b if a\n" +
		"backend b\n  server s host.example:1\nbackend c\n  server s host.example:1\n"
	compile := func(list, address string) *site.Site {
		t.Helper()
		if err := os.WriteFile(path, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		c, problems := conf.ParseString("x.cfg", text)
		if problems.Err() != nil {
			t.Fatal(problems.Err())
		}
		freePorts(c)
		lookUp := func(string) (netip.Addr, error) { return netip.MustParseAddr(address), nil }
		s, problems := Compile(c, site.Outside{LookUp: lookUp, Files: conf.Disk{}})
		if problems.Err() != nil {
			t.Fatal(problems.Err())
		}
		return s
	}
	check := func(what string, r *Reloaded, err error, want ...string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range r.Changes {
			got = append(got, c.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	b := start(t, echoing("127.0.0.1:1", ""))
	if _, err := b.Reload(compile("10.0.0.1\n10.0.0.2\n", "127.0.0.2"), nil); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"pattern file " + path + " changed: 2 patterns added, 1 removed",
		"backend b: server s: address of host.example 127.0.0.2 is now 127.0.0.3",
		"backend c: server s: address of host.example 127.0.0.2 is now 127.0.0.3",
	}
	const list = "# both were added\n10.0.0.3\n 10.0.0.4\n\n10.0.0.1\n"
	r, err := b.Compare(compile(list, "127.0.0.3"))
	check("dry run", r, err, want...)
	r, err = b.Reload(compile(list, "127.0.0.3"), nil)
	check("reload", r, err, want...)
	r, err = b.Reload(compile("10.0.0.1\n10.0.0.3\n10.0.0.4\n", "127.0.0.3"), nil)
	check("another order", r, err)
}
