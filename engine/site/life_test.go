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

// TestChecksBelongToTheirSite: the checks of a site end with their context, and start again with
// another one. The log of the backend and the caller learn each change.
func TestChecksBelongToTheirSite(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := server.Addr().String()
	path := filepath.Join(t.TempDir(), "log")
	s := mustCompile(t, strings.Replace(logging(path), "server s 127.0.0.1:1", "server s "+at+" check inter 5ms rise 1 fall 1", 1))
	if err := s.Open(openLog(t)); err != nil {
		t.Fatal(err)
	}
	s.Share(&pool.Registry{})
	var said []string
	say := func(e pool.Event) { said = append(said, e.Text) } // from one goroutine: there is one backend
	b := s.Backends[0]
	before := runtime.NumGoroutine()
	checkUntil := func(holds func() bool) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.Check(ctx, say)
		}()
		eventually(t, "the state of the server", holds)
		select {
		case <-ended:
			t.Error("Check returned before the end of its context")
		default:
		}
		cancel()
		<-ended
		eventually(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
	}
	checkUntil(func() bool { return b.Servers()[0].LastCheck() != nil && b.Active() == 1 })
	server.Close()
	checkUntil(func() bool { return b.Active() == 0 })
	if server, err = net.Listen("tcp", at); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	checkUntil(func() bool { return b.Active() == 1 })
	s.Close()
	eventually(t, "the file is closed", func() bool { return openFiles(t, path) == 0 })
	text, err := os.ReadFile(path)
	if err != nil || len(said) != 3 || string(text) != strings.Join(said, "\n")+"\n" {
		t.Errorf("said %q; the log has %q (%v), wanted the same: down, no server, up", said, text, err)
	}
}
