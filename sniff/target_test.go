package sniff

import "testing"

func TestAsksFor(t *testing.T) {
	for _, c := range []struct {
		target, uri string
		want        bool
	}{
		{"/a", "/a", true}, {"/a?x", "/a", false}, {"/a?x", "/a?x", true}, {"/A", "/a", false},
		{"http://h/a", "/a", true}, {"https://u:p@h:80/a", "/a", true}, {"http://h/a/", "/a", false},
		{"http://h/a?x", "/a", false}, {"http://h/a?x/y", "/a?x/y", true}, {"http://h", "/", false}, {"http://h", "", false},
		{"http://h/a", "http://h/a", true}, {"/a", "http://h/a", false}, {"*", "*", true}, {"/", "", false},
	} {
		if got := sniffed([]byte("GET " + c.target + " HTTP/1.1\r\n\r\n")).HTTP.AsksFor(c.uri); got != c.want {
			t.Errorf("%s asks for %q: %v; want %v", c.target, c.uri, got, c.want)
		}
	}
}
