package access

import (
	"slices"
	"testing"

	"sluice/conf"
)

// TestTapGetsLines: a tap gets the lines of sinks and of Say at once, and opens no target.
func TestTapGetsLines(t *testing.T) {
	var got []string
	l := Tap(func(to Route, lv Level, line []byte) {
		got = append(got, string('0'+byte(to))+string('0'+byte(lv))+string(line))
	})
	defer l.Close()
	one, err := l.Route([]conf.LogTarget{{Kind: conf.LogFile, Path: "/there/is/no/such/directory"}})
	two, err2 := l.Route([]conf.LogTarget{{Kind: conf.LogStdout}})
	if err != nil || err2 != nil || one != 1 || two != 2 {
		t.Fatalf("routes %d (%v), %d (%v); want 1, 2", one, err, two, err2)
	}
	l.NewSink().Send(one, Info, []byte("a"))
	l.Say(two, Err, "b")
	l.NewSink().Send(None, Info, []byte("c"))
	if want := []string{"16a", "23b"}; !slices.Equal(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
}
