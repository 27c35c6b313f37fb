package site

import (
	"strings"
	"testing"
)

// TestTimeoutsOfAFrontend: timeouts that are not set have the value of others, as in HAProxy.
func TestTimeoutsOfAFrontend(t *testing.T) {
	type want struct {
		client, fin, inspect, request, keepAlive int64
		lenient                                  bool
	}
	tests := []struct {
		lines string
		want  want
	}{
		{"", want{inspect: 5000}},
		{"timeout client 3s", want{client: 3000, inspect: 3000, request: 3000, keepAlive: 3000}},
		{"timeout client-fin 2s", want{fin: 2000, inspect: 5000}},
		{"timeout client 9s|timeout http-request 4s", want{client: 9000, inspect: 4000, request: 4000, keepAlive: 4000}},
		{"timeout http-keep-alive 7s", want{inspect: 5000, keepAlive: 7000}},
		{"timeout http-request 4s|tcp-request inspect-delay 1s", want{inspect: 1000, request: 4000, keepAlive: 4000, lenient: true}},
	}
	for _, tt := range tests {
		f := mustCompile(t, "frontend f\n  mode http\n  bind 127.0.0.1:1\n  "+strings.ReplaceAll(tt.lines, "|", "\n  ")+"\n").Frontends[0]
		got := want{f.ClientTimeout, f.ClientFinTimeout, f.InspectTimeout, f.RequestTimeout, f.KeepAliveTimeout, f.Lenient}
		if got != tt.want {
			t.Errorf("%q: got %+v, want %+v", tt.lines, got, tt.want)
		}
	}
}

// TestListenOwnsItsBackend: the rules of a listen section are not evaluated twice.
func TestListenOwnsItsBackend(t *testing.T) {
	s := mustCompile(t, "listen a\n  bind 127.0.0.1:1\nlisten b\n  bind 127.0.0.1:2\nfrontend c\n  bind 127.0.0.1:3\nbackend c\n")
	for i, f := range s.Frontends {
		for j, b := range s.Backends {
			if got, want := f.Owns(b), i == j && f.Conf.Listen; got != want {
				t.Errorf("frontend %s, backend %s: got %v, want %v", f.Conf.Name, b.Name, got, want)
			}
		}
	}
}
