package access

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"

	"sluice/conf"
)

func TestUDP(t *testing.T) {
	server, target := syslogd(t)
	l := Open("lb", zap.NewNop())
	defer l.Close()
	l.NewSink().Send(mustRoute(t, l, target), Info, []byte("a line"))
	want := regexp.MustCompile(`^<134>\w{3} [ \d]\d \d\d:\d\d:\d\d lb\[\d+\]: a line\n$`)
	if got := receive(t, server); !want.MatchString(got) {
		t.Errorf("got %q, want %s", got, want)
	}
}

func TestUDPByName(t *testing.T) {
	server, target := syslogd(t)
	target.Address.Host, target.Address.IP = "localhost", netip.Addr{}
	l := Open("lb", zap.NewNop())
	defer l.Close()
	l.Say(mustRoute(t, l, target), Notice, "Proxy www started.")
	if got := receive(t, server); !strings.HasSuffix(got, "]: Proxy www started.\n") {
		t.Errorf("got %q", got)
	}
}

func TestUDPWithoutReader(t *testing.T) {
	server, target := syslogd(t)
	server.Close()
	l, path, _ := fileLog(t)
	route := mustRoute(t, l, target, rawFile(path))
	for range 10 {
		l.Say(route, Info, "line")
	}
	l.Close()
	if n := len(readLines(t, path)); n != 10 || l.Dropped() != 0 {
		t.Errorf("%d lines in the file, %d dropped, want 10 and 0", n, l.Dropped())
	}
}

func TestUnixReaderRestarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	first, target := devLog(t, path)
	l := Open("lb", zap.NewNop())
	defer l.Close()
	route := mustRoute(t, l, target)
	l.Say(route, Info, "one")
	if got := receive(t, first); got != "one\n" {
		t.Errorf("got %q", got)
	}
	first.Close()
	l.Say(route, Info, "two")
	l.Say(route, Info, "three")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second, _ := devLog(t, path)
	for _, want := range []string{"two\n", "three\n"} {
		if got := receive(t, second); got != want {
			t.Errorf("after the restart: got %q, want %q", got, want)
		}
	}
}

func TestUnixReaderComesLate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := Open("lb", zap.NewNop())
	defer l.Close()
	l.Say(mustRoute(t, l, conf.LogTarget{Kind: conf.LogUnix, Format: "raw", Facility: "local0",
		Address: conf.Address{Net: conf.NetUnix, Path: path}}), Info, "early")
	reader, _ := devLog(t, path)
	if got := receive(t, reader); got != "early\n" {
		t.Errorf("got %q", got)
	}
}

func TestTargetsOfARoute(t *testing.T) {
	dir := t.TempDir()
	all, few := rawFile(filepath.Join(dir, "all")), rawFile(filepath.Join(dir, "few"))
	few.Level = "notice"
	l := Open("lb", zap.NewNop())
	defer l.Close()
	route := mustRoute(t, l, all, few)
	l.Say(route, Info, "quiet")
	l.Say(route, Notice, "loud")
	l.Say(None, Emerg, "to nobody")
	l.Close()
	if got := readLines(t, all.Path); !slices.Equal(got, []string{"quiet", "loud"}) {
		t.Errorf("all: got %q", got)
	}
	if got := readLines(t, few.Path); !slices.Equal(got, []string{"loud"}) {
		t.Errorf("few: got %q", got)
	}
}

func TestRoutesShareDestinations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := Open("lb", zap.NewNop())
	defer l.Close()
	one, other := rawFile(path), rawFile(path)
	one.Pos, other.Pos = conf.Pos{Line: 1}, conf.Pos{Line: 2}
	if a, b := mustRoute(t, l, one), mustRoute(t, l, other); a != b {
		t.Errorf("the same targets twice: routes %d and %d", a, b)
	}
	other.Facility = "local1"
	if a, b := mustRoute(t, l, one), mustRoute(t, l, other); a == b {
		t.Errorf("different facilities: both route %d", a)
	}
	if n := len(*l.carriers.Load()); n != 1 {
		t.Errorf("%d carriers for one file", n)
	}
	if route := mustRoute(t, l); route != None {
		t.Errorf("no targets: route %d, want None", route)
	}
}

func TestRouteTellsAllErrors(t *testing.T) {
	l := Open("lb", zap.NewNop())
	defer l.Close()
	bad := rawFile("/dev/null")
	bad.Format = "xml"
	_, err := l.Route([]conf.LogTarget{rawFile("/nonexistent/log"), bad})
	for _, want := range []string{"log target file@/nonexistent/log: ", `log format "xml": want`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to tell %s", err, want)
		}
	}
}

func TestSayCannotForgeALine(t *testing.T) {
	l, path, route := fileLog(t)
	l.Say(route, Alert, "reason: \"x\n<0>forged\x1b[2J\"")
	l.Close()
	if got := readLines(t, path); !slices.Equal(got, []string{`reason: "x?<0>forged?[2J"`}) {
		t.Errorf("got %q", got)
	}
}
