package site

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/conf"
)

// TestCompileTellsAllProblems: errors of rules, names, log targets and addresses come together, and
// each only once.
func TestCompileTellsAllProblems(t *testing.T) {
	c := parse(t, `global
  log file@/nonexistent/log local0
frontend f
  bind 127.0.0.1:1
  log global
frontend g
  bind 127.0.0.1:2
  log global
  tcp-request content accept if { no_such_fetch }
backend one
  server a no.such.host:80
backend two
  server b unix@/path
`)
	c.Backends[1].Servers[0].Address.Path = "/" + strings.Repeat("x", 200)
	s, problems := Compile(c, Outside{LookUp: noNames, Files: conf.Disk{}})
	if s != nil {
		t.Error("got a site in spite of the errors")
	}
	want := []string{"/nonexistent", "'one/a'", "'two/b'", "no_such_fetch"}
	if len(problems) != len(want) {
		t.Errorf("%d problems, want %d: %v", len(problems), len(want), problems)
	}
	for _, text := range want {
		if !slices.ContainsFunc(problems, func(p conf.Problem) bool { return strings.Contains(p.String(), text) }) {
			t.Errorf("no problem names %s: %v", text, problems)
		}
	}
}

func TestCompileOpensNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	mustCompile(t, logging(path))
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log file: %v, wanted that it does not exist", err)
	}
}

// TestProxiesHaveHAProxysNumbers: frontends are numbered first, from 2. A listen section has one
// number.
func TestProxiesHaveHAProxysNumbers(t *testing.T) {
	s := mustCompile(t, `
backend early
listen both
  bind 127.0.0.1:1
frontend f
  bind 127.0.0.1:2
  default_backend early
backend late
`)
	got := map[string]int{}
	for _, f := range s.Frontends {
		got["frontend "+f.Conf.Name] = f.ID
	}
	for _, b := range s.Backends {
		got["backend "+b.Name] = b.ID()
	}
	want := map[string]int{"frontend both": 2, "frontend f": 3, "backend early": 4, "backend both": 2, "backend late": 6}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("numbers %v, want %v", got, want)
	}
}

func TestFrontendByName(t *testing.T) {
	s := mustCompile(t, "frontend a\n  bind 127.0.0.1:1\nfrontend b\n  bind 127.0.0.1:2\n")
	if f := s.Frontend("b"); f != s.Frontends[1] {
		t.Errorf("b: got %v", f)
	}
	if f := s.Frontend("c"); f != nil {
		t.Errorf("c: got %v", f.Conf.Name)
	}
}
