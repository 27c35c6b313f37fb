//go:build !simulation

package listen

import (
	"net/netip"
	"testing"

	"sluice/conf"
)

func TestBindName(t *testing.T) {
	for want, a := range map[string]conf.Address{
		"unix@/s":      {Net: conf.NetUnix, Path: "/s"},
		"abns@s":       {Net: conf.NetAbstract, Path: "s"},
		"fd@7":         {Net: conf.NetFD, FD: 7},
		"127.0.0.1:80": {IP: netip.MustParseAddr("127.0.0.1"), Port: 80},
		"[::1]:80":     {IP: netip.MustParseAddr("::1"), Port: 80},
		"site.test:80": {Host: "site.test", Port: 80},
		"*:80":         {Port: 80},
	} {
		if got := bindName(&conf.Bind{Address: a}); got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
}
