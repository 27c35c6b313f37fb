//go:build !simulation

package listen

import (
	"slices"
	"testing"
)

// Options that the system does not allow give one warning for bind lines and one for servers.
func TestFastOpenForbidden(t *testing.T) {
	c := parse(t, `
defaults
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend f
  bind 127.0.0.1:80 tfo
  bind 127.0.0.1:81 tfo
  default_backend b
backend b
  server s 127.0.0.1:82 tfo
  server other 127.0.0.1:83 tfo
`)
	for bits, want := range [][]string{
		{"'tfo' of bind 127.0.0.1:80 in frontend 'f' has no effect: net.ipv4.tcp_fastopen is 0, wanted 2",
			"'tfo' of server 's' in backend 'b' has no effect: net.ipv4.tcp_fastopen is 0, wanted 1"},
		{"'tfo' of bind 127.0.0.1:80 in frontend 'f' has no effect: net.ipv4.tcp_fastopen is 1, wanted 3"},
		{"'tfo' of server 's' in backend 'b' has no effect: net.ipv4.tcp_fastopen is 2, wanted 3"},
		nil,
	} {
		var got []string
		for _, p := range fastOpenProblems(c, bits) {
			got = append(got, p.Text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d: got %q; want %q", bits, got, want)
		}
	}
}
