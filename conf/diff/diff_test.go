package diff

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/conf"
)

// parse parses a valid configuration. Its name decides about the notation.
func parse(t *testing.T, name, text string) *conf.Config {
	t.Helper()
	c, problems := conf.ParseString(name, text)
	if c == nil {
		t.Fatalf("%v\n%s", problems, text)
	}
	return c
}

// told returns the changes as text, each with its kind.
func told(changes []Change) (all []string) {
	for _, c := range changes {
		all = append(all, fmt.Sprintf("%s %s| %s", c.Kind, c.Verb, c))
	}
	return all
}

// base is the configuration in which the table of changes replaces lines.
const base = `
global
  maxconn 2000
  log 127.0.0.1 local0
  stats socket /run/s.sock level user
defaults
  mode http
  log global
  timeout connect 5s
  timeout client 50s
  timeout server 50s
frontend web
  bind *:80
  maxconn 100
  acl x src 10.0.0.1
  acl y src 10.0.0.2
  http-request deny if y
  http-request set-header X-A a
  http-request set-header X-B b
  use_backend a if x
  use_backend b if y
  use_backend c if x y
  default_backend a
backend a
  cookie SRV insert indirect
  server s1 10.0.0.1:80 weight 10 check
  server s2 10.0.0.2:80
  server s3 10.0.0.3:80
backend b
backend c
listen l
  bind 127.0.0.1:81
  option forwardfor
  server s 10.0.0.4:80
`

// TestChanges replaces text of the base and compares what is told, in both directions.
func TestChanges(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		want     []string
	}{
		"moved lines":         {"  maxconn 100", "  # a remark\n\n  maxconn 100", nil},
		"spelling":            {"timeout connect 5s", "timeout connect 5000", nil},
		"default value":       {"  server s2 10.0.0.2:80", "  server s2 10.0.0.2:80 weight 1 inter 2s rise 2", nil},
		"order of sections":   {"backend b\nbackend c", "backend c\nbackend b", nil},
		"order of acl":        {"  acl x src 10.0.0.1\n  acl y src 10.0.0.2", "  acl y src 10.0.0.2\n  acl x src 10.0.0.1", nil},
		"process limit":       {"maxconn 2000", "maxconn 4000", []string{"limit changed| global: maxconn 2000 is now 4000"}},
		"frontend limit":      {"  maxconn 100\n", "", []string{"limit removed| frontend web: maxconn 100 removed"}},
		"bind added":          {"  bind *:80\n", "  bind *:80\n  bind 10.0.0.1:443\n", []string{"bind added| frontend web: bind 10.0.0.1:443 added"}},
		"bind's address":      {"bind *:80\n", "bind *:81\n", []string{"bind removed| frontend web: bind *:80 removed", "bind added| frontend web: bind *:81 added"}},
		"bind's parameters":   {"bind *:80", "bind *:80 tfo name n maxconn 5", []string{"bind added| frontend web: bind *:80: name n added", "limit added| frontend web: bind *:80: maxconn 5 added", "bind added| frontend web: bind *:80: tfo added"}},
		"server removed":      {"  server s2 10.0.0.2:80\n", "", []string{"server removed| backend a: server s2 removed"}},
		"weight":              {"weight 10", "weight 20", []string{"server changed| backend a: server s1: weight 10 is now 20"}},
		"weight from default": {"weight 10 ", "", []string{"server changed| backend a: server s1: weight 10 is now 1"}},
		"address and check": {"10.0.0.1:80 weight 10 check", "10.0.0.9:80 weight 10", []string{
			"server changed| backend a: server s1: address 10.0.0.1:80 is now 10.0.0.9:80", "server removed| backend a: server s1: check removed"}},
		"servers' order": {"  server s2 10.0.0.2:80\n  server s3 10.0.0.3:80", "  server s3 10.0.0.3:80\n  server s2 10.0.0.2:80", []string{
			"server moved| backend a: server s2: place 2 is now 3"}},
		"rule": {"use_backend c if x y", "use_backend b if x y", []string{
			"rule changed| frontend web: use_backend rule 3 changed: 'use_backend c if x y' is now 'use_backend b if x y'"}},
		"rule removed":    {"  use_backend b if y\n", "", []string{"rule removed| frontend web: use_backend rule 2 removed: 'use_backend b if y'"}},
		"rule added":      {"  use_backend b if y\n", "  use_backend b if y\n  use_backend c if y\n", []string{"rule added| frontend web: use_backend rule 3 added: 'use_backend c if y'"}},
		"rule moved":      {"  use_backend a if x\n  use_backend b if y\n", "  use_backend b if y\n  use_backend a if x\n", []string{"rule moved| frontend web: use_backend rule 1 is now use_backend rule 2: 'use_backend a if x'"}},
		"rule for acl":    {"  http-request set-header X-A a\n  http-request set-header X-B b\n", "  http-request set-header X-B b\n  acl z src 10.0.0.3\n", []string{"rule added| frontend web: acl z src 10.0.0.3 added", "rule removed| frontend web: http-request rule 2 removed: 'http-request set-header X-A a'"}},
		"acl":             {"acl y src 10.0.0.2", "acl y src 10.0.0.3", []string{"rule changed| frontend web: acl y src 10.0.0.2 is now src 10.0.0.3"}},
		"default_backend": {"default_backend a", "default_backend b", []string{"rule changed| frontend web: default_backend a is now b"}},
		"timeout of all": {"timeout server 50s", "timeout server 20s", []string{
			"timeout changed| listen l: timeout server 50s is now 20s", "timeout changed| backend a: timeout server 50s is now 20s",
			"timeout changed| backend b: timeout server 50s is now 20s", "timeout changed| backend c: timeout server 50s is now 20s"}},
		"log of the process": {"local0", "local1", []string{"log changed| global: log 127.0.0.1: facility local0 is now local1"}},
		"log of a proxy":     {"backend b\n", "backend b\n  no log\n  log stderr local0\n", []string{"log removed| backend b: log global removed", "log added| backend b: log stderr local0 added"}},
		"same log, spelled out": {"  log 127.0.0.1 local0\n  stats socket /run/s.sock level user\ndefaults\n  mode http\n  log global",
			"  stats socket /run/s.sock level user\ndefaults\n  mode http\n  log 127.0.0.1 local0", []string{"log removed| global: log 127.0.0.1 local0 removed"}},
		"option of a listen": {"  option forwardfor", "  option forwardfor if-none", []string{"option added| listen l: option forwardfor: if-none added"}},
		"option off":         {"  bind 127.0.0.1:81", "  bind 127.0.0.1:81\n  no option tcp-smart-accept", []string{"option added| listen l: no option tcp-smart-accept added"}},
		"cookie":             {"insert indirect", "insert nocache domain a domain b", []string{"cookie removed| backend a: cookie: indirect removed", "cookie added| backend a: cookie: nocache added", "cookie added| backend a: cookie: domain a added", "cookie added| backend a: cookie: domain b added"}},
		"cookie removed":     {"  cookie SRV insert indirect\n", "", []string{"cookie removed| backend a: cookie SRV insert indirect removed"}},
		"stats socket":       {"level user", "level admin", []string{"stats socket changed| global: stats socket /run/s.sock: level user is now admin"}},
		"section added":      {"backend b\n", "backend b\nbackend d\n", []string{"section added| backend d added"}},
		"listen removed":     {base[strings.Index(base, "listen l"):], "", []string{"section removed| listen l removed"}},
		"listen in two": {"listen l\n  bind 127.0.0.1:81\n  option forwardfor\n", "frontend l\n  bind 127.0.0.1:81\n  default_backend l\nbackend l\n  option forwardfor\n", []string{
			"section changed| listen l is now frontend l", "option removed| frontend l: option forwardfor removed", "rule added| frontend l: default_backend l added",
			"section changed| listen l is now backend l"}},
		"listen to backend": {"listen l\n  bind 127.0.0.1:81\n", "backend l\n", []string{"section removed| frontend l removed", "section changed| listen l is now backend l"}},
		"both parts of a listen": {"listen l\n", "listen l\n  mode tcp\n", []string{
			"setting changed| listen l: mode http is now tcp", "option removed| listen l: option forwardfor removed"}},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Count(base, c.old) != 1 {
				t.Fatalf("%q is not in the base once", c.old)
			}
			was, is := parse(t, "was.cfg", base), parse(t, "is.cfg", strings.Replace(base, c.old, c.new, 1))
			if diff := cmp.Diff(c.want, told(Between(was, is))); diff != "" {
				t.Error(diff)
			}
			if back := Between(is, was); (back == nil) != (c.want == nil) {
				t.Errorf("in the other direction: %v", told(back))
			}
		})
	}
}

// TestFilesThatAreSentToClients: a file whose content has changed is told, at the line that names it.
func TestFilesThatAreSentToClients(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page")
	text := base + strings.ReplaceAll(`
  errorfile 503 PAGE
  http-request return errorfile PAGE if TRUE
  http-response deny content-type text/plain file PAGE if FALSE
`, "PAGE", page)
	read := func(body string) *conf.Config {
		if err := os.WriteFile(page, []byte("HTTP/1.0 503 Down\r\n\r\n"+body), 0o600); err != nil {
			t.Fatal(err)
		}
		return parse(t, "page.cfg", text)
	}
	was, same, is := read("one"), read("one"), read("two")
	if found := Between(was, same); found != nil {
		t.Errorf("%v", told(found))
	}
	want := []string{
		"file changed| listen l: errorfile 503: file " + page + " changed",
		"file changed| listen l: http-request rule 1: file " + page + " changed",
		"file changed| listen l: http-response rule 1: file " + page + " changed",
	}
	if diff := cmp.Diff(want, told(Between(was, is))); diff != "" {
		t.Error(diff)
	}
}

// TestFixed: what a process takes at its start only is marked, with the reason.
func TestFixed(t *testing.T) {
	for line, want := range map[string]bool{
		"nbthread 3": true, "uid 3": true, "gid 3": true, "user u": true, "group g": true, "chroot /c": true, "setcap cap_net_raw": true, "ulimit-n 9999": true,
		"daemon": true, "master-worker": true, "pidfile /p": true, "stats socket /run/other": true,
		"log stderr local0": false, "log-tag x": true, "buffer_budget 1MiB": true, "strict-limits": false, "stats timeout 5s": false, "hard-stop-after 1m": false,
	} {
		was, is := parse(t, "was.cfg", base), parse(t, "is.cfg", strings.Replace(base, "global\n", "global\n  "+line+"\n", 1))
		changes := Between(was, is)
		if len(changes) != 1 || changes[0].Section != "global" || (changes[0].Fixed() != "") != want {
			t.Errorf("%s: %v, fixed: %v", line, told(changes), want)
		}
	}
	was, is := parse(t, "was.cfg", base), parse(t, "is.cfg", strings.Replace(base, "weight 10", "weight 3", 1))
	if c := Between(was, is)[0]; c.Fixed() != "" {
		t.Errorf("%s: %s", c, c.Fixed())
	}
}

// TestFixedIsDocumented: docs/operations.md names each of these items.
func TestFixedIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "These take effect after a restart only")
	table, _, _ := strings.Cut(after, "\n## ")
	for _, item := range append(slices.Collect(maps.Keys(fixed)), "stats socket") {
		if !strings.Contains(table, "`"+item+"`") {
			t.Errorf("%s is missing in the list of docs/operations.md", item)
		}
	}
}

// TestBothNotations: the notation of a file is no difference.
func TestBothNotations(t *testing.T) {
	was := parse(t, "was.cfg", base)
	var text strings.Builder
	if err := conf.WriteTOML(&text, was); err != nil {
		t.Fatal(err)
	}
	if found := Between(was, parse(t, "is.toml", text.String())); found != nil {
		t.Errorf("%v", told(found))
	}
}
