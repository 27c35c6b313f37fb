package diff

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The changes that take a restart are those from the start, whatever was reloaded meanwhile.
func TestStartIsComparedWithLaterConfigurations(t *testing.T) {
	global := func(lines string) string { return strings.Replace(base, "global\n", "global\n"+lines, 1) }
	start := StartOf(parse(t, "start.cfg", global("  nbthread 2\n  uid 65534\n  stats socket /run/b.sock level user\n")))
	for text, want := range map[string][]string{
		"  nbthread 2\n  uid 65534\n  stats socket /run/b.sock level user\n":                       nil,
		"  uid 65534\n  maxconn 7\n  stats socket /run/b.sock level user\n  nbthread 2\n":          nil,
		"  nbthread 4\n  uid 65534\n  stats socket /run/b.sock level user\n  hard-stop-after 1m\n": {"global: nbthread 2 is now 4"},
		"  nbthread 2\n  chroot /c\n  stats socket /run/b.sock level admin\n": {
			"global: uid 65534 removed", "global: stats socket /run/b.sock: level user is now admin", "global: chroot /c added",
		},
	} {
		var got []string
		for _, c := range start.Restart(parse(t, "now.cfg", global(text))) {
			if c.Fixed() == "" {
				t.Errorf("%s: no reason", c)
			}
			got = append(got, c.String())
		}
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s%s", text, d)
		}
	}
}

// A start does not keep the text of its configuration in memory.
func TestStartKeepsLittle(t *testing.T) {
	const size = 32 << 20
	start, before := Start{}, heap()
	func() {
		c := parse(t, "start.toml", "[global]\nchroot = '/"+strings.Repeat("c", 100)+"'\n#"+strings.Repeat("x", size)+"\n")
		start = StartOf(c)
	}()
	if more := heap() - before; more > size/2 {
		t.Errorf("%d bytes more are in use", more)
	}
	if len(start.lines) == 0 {
		t.Error("no line")
	}
	runtime.KeepAlive(start)
}

// heap returns the number of bytes in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
