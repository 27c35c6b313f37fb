package conf

import (
	"testing"
	"time"
)

// parse parses a haproxy.cfg that must have no errors.
func parse(t *testing.T, text string) *Config {
	t.Helper()
	cfg, problems := ParseString("test.cfg", text)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestDefaultsReachTheSectionsBehindThem(t *testing.T) {
	cfg := parse(t, `
backend before
defaults one
 timeout connect 1s
 retries 7
 option redispatch
 maxconn 10
 default-server inter 9s
backend first
 server a 127.0.0.1:1
 no option redispatch
defaults two from one
 retries 8
frontend f
backend second
 server a 127.0.0.1:1 inter 1s
defaults
backend third
backend fourth from one
`)
	if b := cfg.Backend("before"); b.Retries != 3 || b.Timeout.Connect != 0 {
		t.Errorf("a section before all defaults: %+v", b)
	}
	if b := cfg.Backend("first"); b.Retries != 7 || b.Redispatch || b.Servers[0].Inter != 9*time.Second {
		t.Errorf("first: %+v", b)
	}
	if b := cfg.Backend("second"); b.Retries != 8 || !b.Redispatch || b.RedispatchEvery != -1 || b.Servers[0].Inter != time.Second {
		t.Errorf("second: %+v", b)
	}
	if f := cfg.Frontend("f"); f.MaxConn != 10 {
		t.Errorf("maxconn %d, wanted 10", f.MaxConn)
	}
	if b := cfg.Backend("third"); b.Retries != 3 || b.Timeout.Connect != 0 {
		t.Errorf("a new defaults section forgets the one before: %+v", b)
	}
	if b := cfg.Backend("fourth"); b.Retries != 7 {
		t.Errorf("fourth: %+v", b)
	}
}

func TestLogGlobalStandsForTheGlobalTargets(t *testing.T) {
	cfg := parse(t, `
defaults
 log global
frontend f
 log 127.0.0.2 local1
frontend quiet
 no log
global
 log 127.0.0.1 local0
`)
	if got := cfg.Frontend("f").Log.Targets; len(got) != 2 || got[0].Facility != "local0" || got[1].Facility != "local1" {
		t.Errorf("got %+v", got)
	}
	if got := cfg.Frontend("quiet").Log.Targets; got != nil {
		t.Errorf("'no log' left %+v", got)
	}
}

func TestListenIsAFrontendAndItsBackend(t *testing.T) {
	cfg := parse(t, "listen a\n bind :1\n server s 127.0.0.1:1\nlisten b\n bind :2\n default_backend a\n")
	for name, want := range map[string]string{"a": "a", "b": "a"} {
		f := cfg.Frontend(name)
		if !f.Listen || f.DefaultBackend != want || cfg.Backend(name) == nil {
			t.Errorf("%s goes to %q, wanted %q", name, f.DefaultBackend, want)
		}
	}
}

func TestDefaultServerHoldsInTOMLWhereverItStands(t *testing.T) {
	cfg, problems := ParseString("x.toml", `
[backend.b]
server = ["a 127.0.0.1:1"]
default_server = { weight = 7 }
[defaults]
retries = 1
`)
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	if b := cfg.Backends[0]; b.Servers[0].Weight != 7 || b.Retries != 1 {
		t.Errorf("got %+v %+v", b, b.Servers[0])
	}
}

func TestNbthreadWinsOverNbproc(t *testing.T) {
	for text, want := range map[string]int{
		"global\n nbproc 4\n":              4,
		"global\n nbproc 4\n nbthread 2\n": 2,
		"global\n nbthread 2\n nbproc 4\n": 2,
	} {
		if got := parse(t, text).Global.Threads; got != want {
			t.Errorf("%q: %d loops, wanted %d", text, got, want)
		}
	}
}

func TestSeveralFilesAreOneConfiguration(t *testing.T) {
	cfg, problems := Parse(
		Source{"a.cfg", []byte("defaults\n retries 5\nfrontend f\n bind :1\n default_backend b\n")},
		Source{"b.toml", []byte("[backend.b]\nserver = [\"s 127.0.0.1:1\"]\n")})
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	if got := cfg.Backend("b").Retries; got != 5 {
		t.Errorf("retries %d, wanted the 5 of the file before", got)
	}
}

func TestHostOfAnHTTPCheckInTheWayOfOld(t *testing.T) {
	for _, line := range []string{`GET / HTTP/1.1\r\nHost:\ www.example.org`, `GET / HTTP/1.1 www.example.org`} {
		got := parse(t, "backend b\n option httpchk "+line+"\n").Backends[0].HTTPCheck
		if got.Host != "www.example.org" || got.Version != "HTTP/1.1" {
			t.Errorf("%s: got %+v", line, got)
		}
	}
}
