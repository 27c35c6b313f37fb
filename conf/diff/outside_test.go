package diff

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"
)

const hosts = `
frontend web
  bind a.example:80
  default_backend app
backend app
  server s1 b.example:80
  server s2 10.0.0.1:80
listen both
  bind 10.0.0.1:81
  server s1 b.example:81
`

// Of both configurations only the pattern files and the addresses of names differ.
func TestChangesOutsideOfTheText(t *testing.T) {
	view := func(text string, front, back string, files map[string]Patterns) View {
		return View{Conf: parse(t, "x.cfg", text), Files: files, Names: map[string]netip.Addr{
			"a.example": netip.MustParseAddr(front), "b.example": netip.MustParseAddr(back), "new.example": netip.MustParseAddr("10.9.9.9"),
		}}
	}
	was := view(hosts, "10.0.0.1", "10.0.0.2", map[string]Patterns{
		"/b": PatternsOf([]string{"x", "y", "z"}), "/a": PatternsOf(nil), "/same": PatternsOf([]string{"x", "y"}), "/gone": PatternsOf([]string{"x"}),
	})
	is := view(hosts, "10.0.0.3", "10.0.0.4", map[string]Patterns{
		"/b": PatternsOf([]string{"y", "w", "w"}), "/a": PatternsOf([]string{"x"}), "/same": PatternsOf([]string{"y", "x", "x"}), "/new": PatternsOf([]string{"x"}),
	})
	want := []string{
		"pattern file /a changed: 1 pattern added, 0 removed",
		"pattern file /b changed: 1 pattern added, 2 removed",
		"frontend web: bind a.example:80: address of a.example 10.0.0.1 is now 10.0.0.3",
		"backend app: server s1: address of b.example 10.0.0.2 is now 10.0.0.4",
		"listen both: server s1: address of b.example 10.0.0.2 is now 10.0.0.4",
	}
	var got []string
	for _, c := range BetweenViews(was, is) {
		got = append(got, c.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	is = view(hosts+"  server new a.example:82\n", "10.0.0.3", "10.0.0.2", was.Files)
	if got := fmt.Sprint(BetweenViews(was, is)); got != "[listen both: server new added "+want[2]+"]" {
		t.Errorf("a new server with the name of a bind line: %s", got)
	}
	if got := BetweenViews(was, was); got != nil {
		t.Errorf("a configuration and itself: %v", got)
	}
}

// The lines of long files are counted in a few milliseconds.
func TestLongPatternFilesAreCompared(t *testing.T) {
	lines := func(from int) (all []string) {
		for i := range 10_000 {
			all = append(all, fmt.Sprintf("host%d.example.org", from+i))
		}
		return all
	}
	before, after, took := lines(0), lines(10), time.Hour
	for range 5 { // other processes may be busy
		start := time.Now()
		got := patternFiles(map[string]Patterns{"/a": PatternsOf(before)}, map[string]Patterns{"/a": PatternsOf(after)})
		took = min(took, time.Since(start))
		if len(got) != 1 || got[0].Gained != 10 || got[0].Lost != 10 {
			t.Fatalf("got %v, wanted 10 added, 10 removed", got)
		}
	}
	if t.Log(took); took > 100*time.Millisecond {
		t.Errorf("took %v", took)
	}
}
