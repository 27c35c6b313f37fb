package conf

import (
	"fmt"
	"strings"
	"testing"
)

const (
	oneMB = 1 << 20
	tenMB = 10 << 20
)

// TestHugeFilesAreReadOrRefused parses files of ten megabytes that repeat one element. None may
// exhaust the stack. If the time grows with the square of the size, the test exceeds go test's
// timeout.
func TestHugeFilesAreReadOrRefused(t *testing.T) {
	fill := func(s string) string { return strings.Repeat(s, tenMB/len(s)) }
	for name, text := range map[string]string{
		"brackets.toml":  "a = " + fill("["),
		"braces.toml":    "a = " + fill("{a="),
		"dots.toml":      fill("a."),
		"inner.toml":     "[global]\nlog = { " + fill("a."),
		"string.toml":    "[global]\nlog = \"" + fill("x"),
		"quotes.toml":    fill(`"`),
		"header.toml":    fill("[a]\n"),
		"nul.toml":       fill("\x00"),
		"word.cfg":       "frontend " + fill("x"),
		"quotes.cfg":     "global\n" + fill(`"`),
		"sections.cfg":   fill("peers " + strings.Repeat("x", 500) + "\n"),
		"nul.cfg":        fill("\x00"),
		"braces.cfg":     "frontend f\nuse_backend b if " + fill("{ "),
		"negations.cfg":  "frontend f\nuse_backend b if " + fill("!"),
		"expression.cfg": "frontend f\nacl a " + fill("a,")[:oneMB],
		"arguments.cfg":  "frontend f\nacl a a(" + fill(",")[:oneMB],
		"backslash.cfg":  "frontend f\nacl a a(" + fill(`\`),
	} {
		t.Run(name, func(t *testing.T) {
			if _, problems := ParseString(name, text); problems.Err() == nil {
				t.Error("no error, wanted one")
			}
		})
	}
}

// TestManySites parses a configuration with thousands of sites, in both formats.
func TestManySites(t *testing.T) {
	const sites = 3000
	var text strings.Builder
	text.WriteString("defaults\n timeout client 5s\n timeout connect 5s\n timeout server 5s\nfrontend f\n bind :80\n")
	for i := range sites {
		fmt.Fprintf(&text, " acl host%d hdr(host) -i site%d.example\n use_backend site%d if host%d\n", i, i, i, i)
	}
	for i := range sites {
		fmt.Fprintf(&text, "backend site%d\n server s 127.0.0.1:%d\n", i, 10000+i)
	}
	cfg, problems := ParseString("many.cfg", text.String())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	roundTrip(t, cfg)
}
