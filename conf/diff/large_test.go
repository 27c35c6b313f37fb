package diff

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/conf"
)

// large returns a configuration with 10,000 rules and 2,000 backends. Each rule and each server has
// a number from shift on.
func large(shift int) string {
	var b strings.Builder
	b.WriteString("defaults\n timeout connect 5s\n timeout client 5s\n timeout server 5s\nfrontend web\n bind *:80\n tcp-request inspect-delay 5s\n")
	for i := range 10_000 {
		fmt.Fprintf(&b, " use_backend b%d if { req.ssl_sni -i host%d.example.org }\n", i%2000, i+shift)
	}
	for i := range 2000 {
		fmt.Fprintf(&b, "backend b%d\n server s1 10.0.%d.%d:80 weight %d\n server s2 10.1.0.1:80\n", i, i/250, i%250, 1+shift%100)
	}
	return b.String()
}

// TestLarge: two large configurations are compared within a second, if a few lines differ and if
// all do.
func TestLarge(t *testing.T) {
	was := parse(t, "was.cfg", large(0))
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"equal":             {large(0), 0},
		"rules and servers": {large(1), 2000 + 10_000},
		"reversed rules":    {reversed(large(0)), 9999},
	} {
		is := parse(t, "is.cfg", c.text)
		found, took := timed(was, is)
		if len(found) != c.want {
			t.Errorf("%s: %d changes, wanted %d; the first: %v", name, len(found), c.want, found[:min(3, len(found))])
		}
		if took > time.Second {
			t.Errorf("%s: %s, wanted at most 1s", name, took)
		}
		t.Logf("%s: %s", name, took)
	}
}

// timed returns the changes and the shortest time of three tries: other processes may be busy.
func timed(was, is *conf.Config) (found []Change, took time.Duration) {
	took = time.Hour
	for range 3 {
		start := time.Now()
		found = Between(was, is)
		took = min(took, time.Since(start))
	}
	return found, took
}

// reversed returns the configuration with its rules in the opposite order.
func reversed(text string) string {
	first, last := strings.Index(text, " use_backend"), strings.Index(text, "backend b0\n server")
	var rules string
	for rule := range strings.Lines(text[first:last]) {
		rules = rule + rules
	}
	return text[:first] + rules + text[last:]
}
