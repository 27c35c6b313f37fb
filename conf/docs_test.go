package conf_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sluice/conf"
	"sluice/engine/acl"
)

// block is a fenced block of a document that is marked as "complete": a whole configuration. The
// word before "complete" names its format.
type block struct {
	format string // toml or haproxy
	at     string
	text   string
}

// name returns a file name for the block. Its extension gives the format.
func (b block) name() string { return b.at + "." + b.format }

// completeBlocks returns the complete configurations of a document.
func completeBlocks(t *testing.T, path string) []block {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var found []block
	inside := false
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		info, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		format, complete := strings.CutSuffix(info, " complete")
		switch {
		case fence && inside:
			inside = false
		case fence && complete:
			inside = true
			found = append(found, block{format: format, at: fmt.Sprintf("%s:%d", filepath.Base(path), number)})
		case inside:
			found[len(found)-1].text += line
		}
	}
	return found
}

// valid parses a block and returns its configuration, after all packages have checked it.
func valid(t *testing.T, b block) *conf.Config {
	t.Helper()
	c, problems := conf.ParseString(b.name(), b.text)
	if c == nil {
		t.Fatalf("%s\n%v", b.name(), problems)
	}
	for _, f := range c.Frontends {
		_, found := acl.Compile(conf.Disk{}, c, f)
		problems = append(problems, found...)
	}
	if len(problems) > 0 {
		t.Errorf("%s\n%v", b.name(), problems)
	}
	return c
}

// TestDocumentsShowValidConfigurations: all complete configurations of the documents are valid. A
// haproxy.cfg that follows a TOML configuration must be equal to it.
func TestDocumentsShowValidConfigurations(t *testing.T) {
	paths, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pairs := 0
	for _, path := range append(paths, "../README.md") {
		var last block
		for _, b := range completeBlocks(t, path) {
			c := valid(t, b)
			if b.format == "haproxy" && last.format == "toml" {
				pairs++
				same(t, last, b, c)
			}
			last = b
		}
	}
	if pairs < 3 {
		t.Errorf("%d configurations in both formats, wanted at least 3", pairs)
	}
}

func same(t *testing.T, first, second block, c *conf.Config) {
	t.Helper()
	diff := cmp.Diff(valid(t, first), c,
		cmpopts.IgnoreTypes(conf.Pos{}, conf.Places{}),
		cmpopts.EquateComparable(conf.Address{}.IP),
		cmpopts.EquateEmpty())
	if diff != "" {
		t.Errorf("%s and %s differ: %s", first.name(), second.name(), diff)
	}
}
