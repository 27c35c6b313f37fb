package site

import (
	"strings"
	"testing"
)

// TestServerOfACookie: of the servers with the value of the cookie, the first one that is not down is
// chosen. With option persist, one that is down is chosen, too.
func TestServerOfACookie(t *testing.T) {
	const servers = "  server a 127.0.0.1:1 cookie one disabled\n" +
		"  server b 127.0.0.1:2 cookie two\n" +
		"  server c 127.0.0.1:3 cookie two\n" +
		"  server d 127.0.0.1:4 cookie one\n" +
		"  server e 127.0.0.1:5 cookie three disabled\n" +
		"  server f 127.0.0.1:6\n"
	tests := []struct {
		options, value string
		server         int32
		letter         byte
	}{
		{"", "one", 3, 'V'},
		{"", "two", 1, 'V'},
		{"", "three", -1, 'D'},
		{"", "four", -1, 'I'},
		{"", "", -1, 'I'},
		{"  option persist\n", "one", 0, 'D'},
		{"  option persist\n", "three", 4, 'D'},
	}
	for _, tt := range tests {
		b := mustCompile(t, "backend b\n  mode http\n  cookie S insert\n"+tt.options+servers).Backends[0]
		server, letter := b.Lookup([]byte(tt.value))
		if server != tt.server || letter != tt.letter {
			t.Errorf("%q%s: server %d, letter %c; want %d, %c", tt.value, tt.options, server, letter, tt.server, tt.letter)
		}
	}
}

func TestBackendWithoutCookie(t *testing.T) {
	b := mustCompile(t, "backend b\n  server s 127.0.0.1:1\n").Backends[0]
	if b.Cookie != nil || b.Lookup != nil || b.MarksClients() {
		t.Errorf("cookie %v, marks clients %v; wanted none", b.Cookie, b.MarksClients())
	}
}

func TestMarksClients(t *testing.T) {
	for options, want := range map[string]bool{"": false, " insert": true, " rewrite": true, " prefix": true, " insert indirect": true} {
		b := mustCompile(t, "backend b\n  mode http\n  cookie S"+options+"\n").Backends[0]
		if got := b.MarksClients(); got != want {
			t.Errorf("cookie S%s: got %v, want %v", options, got, want)
		}
	}
}

// TestErrorPages: errorfile gives the whole answer, errorloc a redirect.
func TestErrorPages(t *testing.T) {
	errors := mustCompile(t, "backend b\n  mode http\n  errorloc303 503 /sorry\n  errorloc 502 /bad\n").Backends[0].Errors
	if len(errors) != 2 {
		t.Errorf("%d pages, want 2", len(errors))
	}
	for status, want := range map[int]string{503: "HTTP/1.1 303 See Other\r\n", 502: "HTTP/1.1 302 Found\r\n"} {
		if got := string(errors[status]); !strings.HasPrefix(got, want) || !strings.Contains(got, "\r\nlocation: /") {
			t.Errorf("%d: got %q, wanted it to begin with %q and to have a location", status, got, want)
		}
	}
}
