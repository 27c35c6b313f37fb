//go:build !race

package acl

import "testing"

// TestAllocsRegexp does not run with the race detector: package regexp keeps its machines in a
// sync.Pool, which then drops some of them on purpose.
func TestAllocsRegexp(t *testing.T) {
	conds := []string{"{ hdr_reg(host) -i ^ex }", "{ hdr(x),lower -m reg (a|b)+c }", "{ req.ssl_sni -m reg org$ }"}
	checkAllocs(t, conds, request("/", "Host: www.example.com", "X: a, BBC"), hello(t, "www.example.com"), &Facts{})
}
