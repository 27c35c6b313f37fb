package stat

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var write = flag.Bool("write", false, "write the tables of docs/metrics.md")

const manual = "../../docs/metrics.md"

// TestManualHasEveryMetric: the tables of docs/metrics.md must be those of Columns and Keys. After
// a change, run this test with -write.
func TestManualHasEveryMetric(t *testing.T) {
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	want = replaceTable(t, want, "## Columns of show stat", "| # | column | of | type | here |  |\n", rowsOf(Columns))
	want = replaceTable(t, want, "## Keys of show info", "| # | key | of | type | here |  |\n", rowsOf(Keys))
	switch {
	case want == string(text):
	case *write:
		err = os.WriteFile(manual, []byte(want), 0o644)
	default:
		t.Errorf("%s is not up to date: run go test ./pool/stat -run TestManualHasEveryMetric -write", manual)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// replaceTable replaces the table in the section of text that begins with this heading.
func replaceTable(t *testing.T, text, heading, head, rows string) string {
	t.Helper()
	before, section, ok := strings.Cut(text, heading+"\n")
	intro, rest, found := strings.Cut(section, "\n|")
	if !ok || !found {
		t.Fatalf("%s has no table under %q", manual, heading)
	}
	_, after, _ := strings.Cut(rest, "\n\n")
	if after != "" {
		after = "\n" + after
	}
	return before + heading + "\n" + intro + "\n" + head + strings.Repeat("| --- ", strings.Count(head, "|")-1) + "|\n" + rows + after
}

func rowsOf[S Source](metrics []Metric[S]) string {
	var w strings.Builder
	for i := range metrics {
		m := &metrics[i]
		fmt.Fprintf(&w, "| %d | `%s` | %s | %s:%s | %s | %s |\n", i, m.Name, letters(m.Scope), strings.ReplaceAll(m.tags, " ", "/"), m.Format, here(m), m.Text)
	}
	return w.String()
}

func letters(s Scope) string {
	var all string
	for i, letter := range "FBSP" {
		if s&(1<<i) != 0 {
			all += string(letter)
		}
	}
	return all
}

// here tells which value a metric always has, if it is unused.
func here[S Source](m *Metric[S]) string {
	if m.Mark != Unused {
		return ""
	}
	var v Value
	switch read := any(m).(type) {
	case *Metric[*Row]:
		v = read.Of(&Row{Scope: m.Scope, HTTP: true})
	case *Metric[*Info]:
		v = read.Of(&Info{})
	}
	if v.Empty() {
		return "empty"
	}
	return "always " + v.String()
}
