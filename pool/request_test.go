package pool

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/conf"
)

func headers(namesAndValues ...string) (hs []conf.CheckHeader) {
	for pair := range slices.Chunk(namesAndValues, 2) {
		hs = append(hs, conf.CheckHeader{Name: pair[0], Value: pair[1]})
	}
	return hs
}

// The expected requests are those that HAProxy 2.6.12 sent, except for "host of the option".
func TestRequestOnTheWire(t *testing.T) {
	tests := []struct {
		name  string
		check conf.HTTPCheck
		want  string
	}{
		{"default", conf.HTTPCheck{Method: "OPTIONS", URI: "/", Version: "HTTP/1.0"}, "OPTIONS / HTTP/1.0\r\n\r\n"},
		{"seed", conf.HTTPCheck{Method: "HEAD", URI: "/check.txt", Version: "HTTP/1.0"}, "HEAD /check.txt HTTP/1.0\r\n\r\n"},
		{"1.1", conf.HTTPCheck{Method: "HEAD", URI: "/check.txt", Version: "HTTP/1.1"}, "HEAD /check.txt HTTP/1.1\r\nconnection: close\r\n\r\n"},
		{"host", conf.HTTPCheck{Method: "HEAD", URI: "/", Version: "HTTP/1.1", Host: "www.ex.org"}, "HEAD / HTTP/1.1\r\nhost: www.ex.org\r\nconnection: close\r\n\r\n"},
		{"host in 1.0", conf.HTTPCheck{Method: "HEAD", URI: "/", Version: "HTTP/1.0", Host: "www.ex.org"}, "HEAD / HTTP/1.0\r\nhost: www.ex.org\r\n\r\n"},
		{"headers and body", conf.HTTPCheck{Method: "POST", URI: "/p", Version: "HTTP/1.1", Headers: headers("Host", "a.b", "X-Y", "a b"), Body: "hello"},
			"POST /p HTTP/1.1\r\nhost: a.b\r\nx-y: a b\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"},
		{"no body", conf.HTTPCheck{Method: "PUT", URI: "/", Version: "HTTP/1.1"}, "PUT / HTTP/1.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"},
		{"no body in 1.0", conf.HTTPCheck{Method: "POST", URI: "/", Version: "HTTP/1.0"}, "POST / HTTP/1.0\r\ncontent-length: 0\r\n\r\n"},
		{"methods without body", conf.HTTPCheck{Method: "DELETE", URI: "/u", Version: "HTTP/1.0"}, "DELETE /u HTTP/1.0\r\n\r\n"},
		{"twice", conf.HTTPCheck{Method: "GET", URI: "/", Version: "HTTP/1.0", Headers: headers("A-A", "b", "A-A", "c")}, "GET / HTTP/1.0\r\na-a: b\r\na-a: c\r\n\r\n"},
		{"wrong length", conf.HTTPCheck{Method: "GET", URI: "/", Version: "HTTP/1.0", Headers: headers("Content-Length", "9", "Transfer-Encoding", "chunked"), Body: "x"},
			"GET / HTTP/1.0\r\ncontent-length: 1\r\n\r\nx"},
		{"connection", conf.HTTPCheck{Method: "GET", URI: "/", Version: "HTTP/1.1", Headers: headers("Connection", "upgrade", "Upgrade", "z")},
			"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: z\r\n\r\n"},
		{"two hosts", conf.HTTPCheck{Method: "GET", URI: "/", Version: "HTTP/1.0", Host: "a.b", Headers: headers("HOST", "c.d")}, "GET / HTTP/1.0\r\nhost: c.d\r\n\r\n"},
		{"host of the option", conf.HTTPCheck{Method: "GET", URI: "/", Version: "HTTP/1.0", Host: "a.b", Headers: headers("X", "y")}, "GET / HTTP/1.0\r\nhost: a.b\r\nx: y\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, string(appendRequest(nil, &tt.check))); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}
