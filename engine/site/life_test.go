package site

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sluice/engine/access"
	"sluice/pool"
)

// TestSitesShareTheirLog: the log file stays open until the last of two sites is closed.
func TestSitesShareTheirLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	log := openLog(t)
	var state pool.Registry
	var sites []*Site
	for i := range 2 {
		s := mustCompile(t, logging(path))
		if err := s.Open(log); err != nil {
			t.Fatal(err)
		}
		s.Share(&state)
		if n := openFiles(t, path); n != 1 {
			t.Errorf("%d descriptors for the file after %d sites, want 1", n, i+1)
		}
		sites = append(sites, s)
	}
	for i, s := range sites {
		log.Say(s.Frontends[0].Route, access.Info, fmt.Sprint("frontend ", i))
		log.Say(s.Backends[0].Route, access.Info, fmt.Sprint("backend ", i))
		s.Close()
	}
	eventually(t, "the file is closed", func() bool { return openFiles(t, path) == 0 })
	text, err := os.ReadFile(path)
	if want := "frontend 0\nbackend 0\nfrontend 1\nbackend 1\n"; err != nil || string(text) != want {
		t.Errorf("got %q (%v), want %q", text, err, want)
	}
}

func TestOpenInErrorLeavesNothingOpen(t *testing.T) {
	one, dir := filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "dir")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := mustCompile(t, logging(one)+"  log file@"+dir+"/log local0\n")
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Open(openLog(t)); err == nil || !strings.Contains(err.Error(), "test.cfg:") {
		t.Errorf("error %v, wanted one with a position", err)
	}
	eventually(t, "the file is closed", func() bool { return openFiles(t, one) == 0 })
}

// TestChecksOutliveASite: the checks of a backend go on when a new site replaces the one that
// brought it. The log of the newest site and the caller of Check learn each change. The checks end with
// the last site.
func TestChecksOutliveASite(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := server.Addr().String()
	var state pool.Registry
	log, dir := openLog(t), t.TempDir()
	site := func(name string) *Site {
		return opened(t, log, strings.Replace(logging(filepath.Join(dir, name)), "server s 127.0.0.1:1", "server s "+at+" check inter 5ms rise 1 fall 1", 1))
	}
	ctx, cancel := context.WithCancel(t.Context())
	said := make(chan string, 9)
	over := make(chan struct{})
	go func() {
		defer close(over)
		state.Check(ctx, func(e pool.Event) { said <- e.Text })
	}()
	before := runtime.NumGoroutine()
	first := site("first")
	first.Share(&state)
	b := first.Backends[0]
	eventually(t, "the first check", func() bool { return b.Servers()[0].LastCheck() != nil })
	running := runtime.NumGoroutine()
	server.Close()
	eventually(t, "the server is down", func() bool { return len(said) == 2 })
	second := site("second")
	second.Share(&state)
	first.Close()
	eventually(t, "no further goroutines", func() bool { return runtime.NumGoroutine() <= running })
	if server, err = net.Listen("tcp", at); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	eventually(t, "the server is up", func() bool { return len(said) == 3 && b.Active() == 1 })
	second.Close()
	eventually(t, "the checks have ended", func() bool { return runtime.NumGoroutine() <= before })
	select {
	case <-over:
		t.Error("Check returned before the end of its context")
	default:
	}
	cancel()
	<-over
	eventually(t, "the files are closed", func() bool {
		return openFiles(t, filepath.Join(dir, "first")) == 0 && openFiles(t, filepath.Join(dir, "second")) == 0
	})
	want := map[string]string{"first": <-said + "\n" + <-said + "\n", "second": <-said + "\n"}
	for name, text := range want {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != text {
			t.Errorf("the log of the %s site has %q (%v), want %q", name, got, err, text)
		}
	}
}
