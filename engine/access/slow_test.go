package access

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"

	"sluice/conf"
)

// overfill logs numbered lines until some are dropped. It returns the number of lines sent, after
// the ring is empty. A slow target must not delay this.
func overfill(t *testing.T, l *Log, route Route) int {
	t.Helper()
	sink, sent := l.NewSink(), 0
	carrier := (*l.routes.Load())[route].targets[0].carrier
	eventually(t, "lines are dropped", func() bool {
		for range 500 {
			sink.Send(route, Info, numbered(sent))
			sent++
		}
		return carrier.drops.count.Load() > 0
	})
	eventually(t, "the ring is empty", func() bool { return !sink.pending() })
	return sent
}

func numbered(n int) []byte { return fmt.Appendf(nil, "line %d %s", n, strings.Repeat("x", 80)) }

// checkNumbered reads complete lines with rising numbers, up to the line "last". It returns their
// number.
func checkNumbered(t *testing.T, next func() string) (n int) {
	t.Helper()
	for previous := -1; ; n++ {
		line := next()
		if line == "last" {
			return n
		}
		var number int
		if _, err := fmt.Sscanf(line, "line %d ", &number); err != nil || number <= previous || line != string(numbered(number)) {
			t.Fatalf("after line %d came %q (%v)", previous, line, err)
		}
		previous = number
	}
}

// sayLast sends the line "last" until it is not dropped.
func sayLast(t *testing.T, l *Log, route Route) {
	t.Helper()
	eventually(t, "there is room again", func() bool {
		before := l.Dropped()
		l.Say(route, Info, "last")
		return l.Dropped() == before
	})
}

func TestUnixSocketNobodyReads(t *testing.T) {
	reader, target := devLog(t, filepath.Join(t.TempDir(), "log"))
	l := Open("lb", zap.NewNop())
	defer l.Close()
	route := mustRoute(t, l, target)
	sent := overfill(t, l, route)
	last := make(chan struct{})
	go func() {
		defer close(last)
		sayLast(t, l, route)
	}()
	got := checkNumbered(t, func() string { return strings.TrimSuffix(receive(t, reader), "\n") })
	<-last
	eventually(t, "all lines are accounted for", func() bool { return got+int(l.Dropped()) >= sent })
}

func TestOtherTargetsDoNotWait(t *testing.T) {
	_, stuck := devLog(t, filepath.Join(t.TempDir(), "log"))
	l, path, free := fileLog(t)
	overfill(t, l, mustRoute(t, l, stuck))
	l.Say(free, Info, "hello")
	eventually(t, "the other target gets its line", func() bool { return len(readLines(t, path)) == 1 })
}

func TestDevFull(t *testing.T) {
	core, reports := observer.New(zap.WarnLevel)
	l := Open("lb", zap.New(core))
	route := mustRoute(t, l, rawFile("/dev/full"))
	sent := overfill(t, l, route)
	eventually(t, "the drops are reported", func() bool {
		return reports.FilterField(zap.String("target", "file@/dev/full")).Len() > 0
	})
	report := reports.FilterField(zap.String("target", "file@/dev/full")).All()[0].ContextMap()
	if report["lines"].(uint64) == 0 || !strings.Contains(fmt.Sprint(report["error"]), "no space left on device") {
		t.Errorf("report %v", report)
	}
	start := time.Now()
	l.Close()
	if d := time.Since(start); d > 3*flushTime {
		t.Errorf("close took %s", d)
	}
	if got := l.Dropped(); got != uint64(sent) {
		t.Errorf("%d lines sent to a full disk, %d dropped", sent, got)
	}
	var told uint64
	for _, r := range reports.All() {
		told += r.ContextMap()["lines"].(uint64)
	}
	if told != uint64(sent) {
		t.Errorf("%d drops reported in %d reports, want %d", told, reports.Len(), sent)
	}
}

// TestDiskFull fills a small file system and then frees space: the log continues.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mounting a tmpfs needs root: %v; TestStalledPipe covers the resumption", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "log")
	l := Open("lb", zap.NewNop())
	defer l.Close()
	route := mustRoute(t, l, rawFile(path))
	overfill(t, l, route)
	eventually(t, "the disk is full", func() bool {
		info, err := os.Stat(path)
		return err == nil && info.Size() == 64<<10
	})
	full := readLines(t, path)
	if err := unix.Mount("none", dir, "tmpfs", unix.MS_REMOUNT, "size=16m"); err != nil {
		t.Fatal(err)
	}
	sayLast(t, l, route)
	l.Close()
	lines := readLines(t, path)
	if n := checkNumbered(t, func() (line string) { line, lines = lines[0], lines[1:]; return line }); n <= len(full) {
		t.Errorf("%d lines after there was room, %d before", n, len(full))
	}
}

// TestStalledPipe tests a stdout with a reader that does not read.
func TestStalledPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out, err := openStd(int(w.Fd()), "stdout")
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	l, route := logInto(t, out)
	overfill(t, l, route)
	go sayLast(t, l, route)
	lines := bufio.NewScanner(r)
	checkNumbered(t, func() string { lines.Scan(); return lines.Text() })
	l.Close()
	if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
		t.Errorf("after the last line: %q, %v", rest, err)
	}
}

// TestStdoutWithoutReader: the process must not end when stdout has no reader.
func TestStdoutWithoutReader(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	out, err := openStd(int(w.Fd()), "stdout")
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	l, route := logInto(t, out)
	l.Say(route, Info, "to nobody")
	l.Close()
	if l.Dropped() != 1 {
		t.Errorf("%d dropped, want 1", l.Dropped())
	}
}

// logInto returns a log with one raw target, which writes to the outlet.
func logInto(t *testing.T, out outlet) (*Log, Route) {
	t.Helper()
	l := Open("lb", zap.NewNop())
	t.Cleanup(l.Close)
	target := conf.LogTarget{Kind: conf.LogStdout, Format: "raw", Facility: "local0"}
	l.add(newCarrier(destination(target), out, l))
	return l, mustRoute(t, l, target)
}

func TestCloseFlushes(t *testing.T) {
	l, path, route := fileLog(t)
	sink := l.NewSink()
	for i := range 1000 {
		sink.Send(route, Info, numbered(i))
	}
	sink.Send(route, Info, []byte("last"))
	l.Close()
	l.Close() // a second Close has no effect
	lines := readLines(t, path)
	if n := checkNumbered(t, func() (line string) { line, lines = lines[0], lines[1:]; return line }); n != 1000 {
		t.Errorf("%d lines arrived, want 1000", n)
	}
	sink.Send(route, Info, []byte("too late"))
	l.Say(route, Info, "too late")
}

func TestOversizedDatagramIsDropped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	reader, target := devLog(t, path)
	out := openUnix(path)
	if err := out.conn.SetWriteBuffer(4096); err != nil {
		t.Fatal(err)
	}
	target.Length = maxLength
	l := Open("lb", zap.NewNop())
	defer l.Close()
	l.add(newCarrier(path, out, l))
	route := mustRoute(t, l, target)
	l.Say(route, Info, strings.Repeat("x", 60_000))
	l.Say(route, Info, "short")
	if got := receive(t, reader); got != "short\n" {
		t.Errorf("got %d bytes, want the short line", len(got))
	}
	if l.Dropped() != 1 {
		t.Errorf("%d dropped, want 1", l.Dropped())
	}
}
