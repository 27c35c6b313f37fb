package sniff

import (
	"strings"
	"testing"
)

// A head that is refused is unclear if a lenient program could read a request in it. It stays so,
// whatever bytes follow.
func TestUnclear(t *testing.T) {
	for bytes, want := range map[string]bool{
		"GET\t":                 true,
		"GET \t":                true,
		"GET\v/ HTTP/1.1":       true,
		"\r\nGET /\r\n":         true,
		"GET /\tHTTP/1.1\r\n":   true,
		"OPTIONS *\r\n":         true,
		"GET http://a.test/\n":  true,
		"GET / HTTP/2.0\r\n":    true,
		"GET x HTTP/1.1\r\n\n:": true, // no target of a request
		"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n":          true,
		"GET / HTTP/1.1\r\n: ":                                  true,
		"GET /" + strings.Repeat("a", MaxBytes):                 true,
		"GET / HTTP/1.1\r\nA: " + strings.Repeat("a", MaxBytes): true,
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n":                     false, // read
		"GET / HTTP/1.1\r\nHost: a\r\n":                         false, // incomplete
		"PRI * HTTP/2.0\r\n\r\n":                                false,
		"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n":                    false,
		"EHLO a.test\r\n":                                       false,
		"PING\r\n":                                              false,
		"\x16\x03\x01":                                          false,
		strings.Repeat("A", MaxBytes+1):                         false,
		"":                                                      false,
	} {
		var st State
		var f Facts
		NewScanner().Sniff(&st, []byte(bytes), &f)
		if f.HTTP.Unclear != want || want && f.HTTP.Verdict != No {
			t.Errorf("%.40q: unclear %t, verdict %s; want %t", bytes, f.HTTP.Unclear, f.HTTP.Verdict, want)
		}
		NewScanner().Sniff(&st, []byte(bytes+"\r\n"), &f)
		if want && !f.HTTP.Unclear {
			t.Errorf("%.40q: with more bytes it is clear", bytes)
		}
	}
}
