package conf

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var compareAddresses = cmpopts.EquateComparable(netip.Addr{})

func TestBindAddresses(t *testing.T) {
	ip := netip.MustParseAddr
	for text, want := range map[string][]Address{
		"*:80":                  {{Port: 80, Wildcard: true}},
		":80":                   {{Port: 80, Wildcard: true}},
		"0.0.0.0:80":            {{IP: ip("0.0.0.0"), Port: 80}},
		":::80":                 {{IP: ip("::"), Port: 80}},
		"[::]:80":               {{IP: ip("::"), Port: 80}},
		"::1:80":                {{IP: ip("::1"), Port: 80}},
		"fe80::1%eth0:80":       {{IP: ip("fe80::1%eth0"), Port: 80}},
		"ipv6@:80":              {{IP: ip("::"), Port: 80}},
		"ipv4@*:80":             {{Port: 80, Wildcard: true}},
		"localhost:80":          {{Host: "localhost", Port: 80}},
		"127.0.0.1:80,[::1]:81": {{IP: ip("127.0.0.1"), Port: 80}, {IP: ip("::1"), Port: 81}},
		"*:8000-8002":           {{Port: 8000, Wildcard: true}, {Port: 8001, Wildcard: true}, {Port: 8002, Wildcard: true}},
		"/run/a.sock":           {{Net: NetUnix, Path: "/run/a.sock"}},
		"unix@run/a.sock":       {{Net: NetUnix, Path: "run/a.sock"}},
		"abns@a":                {{Net: NetAbstract, Path: "a"}},
		"fd@3":                  {{Net: NetFD, FD: 3}},
	} {
		got, err := parseBind(text)
		if diff := cmp.Diff(want, got, compareAddresses); err != nil || diff != "" {
			t.Errorf("%s: %v %s", text, err, diff)
		}
		for _, a := range got {
			again, err := parseBind(a.String())
			if err != nil || len(again) != 1 || again[0] != a {
				t.Errorf("%s became %s, then %v, %v", text, a, again, err)
			}
		}
	}
}

func TestWholePortRange(t *testing.T) {
	if got, err := parseBind("*:1-65535"); err != nil || len(got) != 65535 {
		t.Errorf("%d addresses, %v, wanted 65535", len(got), err)
	}
}
