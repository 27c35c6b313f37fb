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

// TestOneHost: target and Host agree if one of them leaves out the default port of the scheme.
// For CONNECT both 80 and 443 are default ports.
func TestOneHost(t *testing.T) {
	for _, c := range []struct {
		line, host string
		want       Verdict
	}{
		{"GET http://a/", "a:80", Yes}, {"GET http://a:80/", "a", Yes}, {"GET http://a:/", "a:80", Yes}, {"GET http://a:80/", "A:", Yes},
		{"GET http://a/", "a:443", No}, {"GET http://a:443/", "a", No}, {"GET http://a:080/", "a", No}, {"GET http://a:8080/", "a", No},
		{"GET http://a:8080/", "a:8080", Yes}, {"GET http://a/", "b", No}, {"GET http://u@a:80/", "a", Yes}, {"GET HTTP://a:80/", "a", Yes},
		{"GET https://a/", "a:443", Yes}, {"GET https://a:443/", "a", Yes}, {"GET https://a/", "a:80", No}, {"GET https://a:80/", "a", No},
		{"GET ws://a/", "a:80", No}, {"GET foo://a:80/", "a", No}, {"GET foo://a:80/", "a:80", Yes}, {"GET foo://a/", "a", Yes}, {"GET foo://a/", "a:", Yes},
		{"CONNECT a:443", "a", Yes}, {"CONNECT a:80", "a", Yes}, {"CONNECT a:443", "A:", Yes}, {"CONNECT a:443", "a:443", Yes},
		{"CONNECT a:443", "a:80", No}, {"CONNECT a:80", "a:443", No}, {"CONNECT a:8443", "a", No}, {"CONNECT a:0443", "a", No}, {"CONNECT a:443", "b", No},
		{"CONNECT [::1]:443", "[::1]", Yes}, {"GET http://[::1]/", "[::1]:80", Yes}, {"GET http://[::1]:80/", "[::2]", No},
		{"CONNECT a", "a", No}, {"CONNECT a:", "a", No},
	} {
		if got := sniffed([]byte(c.line + " HTTP/1.1\r\nHost: " + c.host + "\r\n\r\n")).HTTP.Verdict; got != c.want {
			t.Errorf("%s with Host %s: %v; want %v", c.line, c.host, got, c.want)
		}
	}
}
