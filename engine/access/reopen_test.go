package access

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"sluice/conf"
)

func contains(t *testing.T, path, text string) {
	t.Helper()
	eventually(t, "'"+text+"' in "+path, func() bool {
		b, _ := os.ReadFile(path)
		return strings.Contains(string(b), text)
	})
}

// A log file that was renamed gets no line after Commit; the file of its name gets them. The
// descriptor of the former file is closed although no line follows.
func TestReopenedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := Open("lb", zap.NewNop())
	defer l.Close()
	route := mustRoute(t, l, rawFile(path))
	l.Say(route, Info, "one")
	contains(t, path, "one\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	l.Say(route, Info, "two")
	contains(t, path+".1", "two\n")
	targets := []conf.LogTarget{rawFile(path), rawFile(path)}
	again, err := l.Reopen(targets)
	if err != nil {
		t.Fatal(err)
	}
	l.Say(route, Info, "three")
	contains(t, path+".1", "three\n")
	again.Abandon()
	if n := openFiles(t, path); n != 0 {
		t.Errorf("%d descriptors after Abandon", n)
	}
	if again, err = l.Reopen(targets); err != nil {
		t.Fatal(err)
	}
	again.Commit()
	eventually(t, "the end of the former file", func() bool { return openFiles(t, path+".1") == 0 })
	l.Say(route, Info, "four")
	contains(t, path, "four\n")
	l.Release(route)
	l.closed(t, 0)
	if n := openFiles(t, path); n != 0 {
		t.Errorf("%d descriptors after Release", n)
	}
}

// A carrier stays until the end of a Reopening, also if its last route is released meanwhile.
func TestReopenKeepsItsCarriers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := Open("lb", zap.NewNop())
	defer l.Close()
	route := mustRoute(t, l, rawFile(path))
	again, err := l.Reopen([]conf.LogTarget{rawFile(path), rawFile(path + ".other")})
	if err != nil {
		t.Fatal(err)
	}
	l.Release(route)
	route = mustRoute(t, l, rawFile(path))
	if n := len(*l.carriers.Load()); n != 1 {
		t.Errorf("%d carriers, wanted 1", n)
	}
	again.Commit()
	l.Say(route, Info, "one")
	contains(t, path, "one\n")
	l.Release(route)
	l.closed(t, 0)
}

// After an error lines go on to the present files.
func TestReopenInError(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "log")
	l := Open("lb", zap.NewNop())
	defer l.Close()
	route := mustRoute(t, l, rawFile(path))
	if err := os.Rename(dir, dir+".1"); err != nil {
		t.Fatal(err)
	}
	target := rawFile(path)
	target.Pos = conf.Pos{File: "a.cfg", Line: 7}
	want := "a.cfg:7: log target file@" + path + ": open " + path + ": no such file or directory"
	if _, err := l.Reopen([]conf.LogTarget{target, target}); err == nil || err.Error() != want {
		t.Errorf("got error %v, want once %s", err, want)
	}
	l.Say(route, Info, "one")
	contains(t, filepath.Join(dir+".1", "log"), "one\n")
	l.Release(route)
	l.closed(t, 0)
}

// A line of which the former file has a part goes to the new one from its beginning.
func TestReopenAfterAPartOfALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	out, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := &carrier{out: &stream{os.NewFile(^uintptr(0), "none")}}
	b := batch{buf: []byte("one\ntwo\nthree\n"), ends: []int{4, 8, 14}}
	b.advance(6)
	c.replace(out)
	c.change(&b)
	if err := c.out.send(&b, nil); err != nil {
		t.Fatal(err)
	}
	c.out.close()
	contains(t, path, "two\nthree\n")
	if got, _ := os.ReadFile(path); string(got) != "two\nthree\n" {
		t.Errorf("got %q", got)
	}
}
