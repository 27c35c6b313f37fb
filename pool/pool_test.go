package pool

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/conf"
)

func noNames(host string) (netip.Addr, error) {
	return netip.Addr{}, errors.New("no such host")
}

// weighted returns a backend with servers a, b, c ... of these weights at a closed port.
func weighted(weights ...int) *conf.Backend {
	c := &conf.Backend{Name: "bk", Retries: 3}
	for i, w := range weights {
		c.Servers = append(c.Servers, &conf.Server{
			Name: fmt.Sprintf("%c", 'a'+i), Weight: w, Inter: 2 * time.Second, Rise: 2, Fall: 3,
			Address: conf.Address{IP: netip.MustParseAddr("127.0.0.1"), Port: 1},
		})
	}
	return c
}

func mustNew(t *testing.T, c *conf.Backend) *Backend {
	t.Helper()
	b, ps := New(4, c, Means{Resolve: noNames})
	if err := ps.Err(); err != nil {
		t.Fatal(err)
	}
	return b
}

// checkNow switches the checks of the server on.
func checkNow(s *Server) {
	s.Conf().Check = true
	s.condition.Store(atStart(s.Conf()))
}

// usePicker makes b use another picker.
func usePicker(b *Backend, p picker) {
	b.balancing.Store(&balancing{b.balancing.Load().algorithm, p})
}

func pickerOf(b *Backend) picker { return b.balancing.Load().picker }

// kill makes the checks of the named servers fail until the servers are DOWN.
func kill(b *Backend, names string) {
	for _, s := range b.Servers() {
		if strings.Contains(names, s.Name) {
			if !s.Conf().Check {
				checkNow(s)
			}
			c := checker{server: s, say: func(Event) {}}
			for range s.Conf().Fall {
				c.observe(Result{Status: L4CON})
			}
		}
	}
}

func picks(b *Backend, n int, avoid *Server) string {
	var names strings.Builder
	for range n {
		if s := b.Pick(Key{}, avoid); s != nil {
			names.WriteString(s.Name)
		} else {
			names.WriteString("-")
		}
	}
	return names.String()
}

func TestNewNamesWhatCannotWork(t *testing.T) {
	tests := []struct {
		name string
		edit func(c *conf.Backend)
		want string
	}{
		{"algorithm", func(c *conf.Backend) { c.Balance.Algorithm = "leastconn" },
			"f.cfg:3: error: 'balance leastconn' in backend 'bk': not supported yet, wanted roundrobin"},
		{"name", func(c *conf.Backend) { c.Servers[0].Address = conf.Address{Host: "web1", Port: 80} },
			"f.cfg:9: error: server 'bk/a': could not resolve address 'web1': no such host"},
		{"port", func(c *conf.Backend) { c.Servers[0].Address.Port = 0 },
			"f.cfg:9: error: server 'bk/a': address has no port; wanted host:port"},
		{"inherited socket", func(c *conf.Backend) { c.Servers[0].Address = conf.Address{Net: conf.NetFD, FD: 3} },
			"f.cfg:9: error: server 'bk/a': address 'fd@3': wanted an address to connect to"},
		{"inter", func(c *conf.Backend) { c.Servers[0].Check, c.Servers[0].Inter = true, 0 },
			"f.cfg:9: error: server 'bk/a': inter 0s, fastinter 0s, downinter 0s: wanted a time above 0"},
		{"rise", func(c *conf.Backend) { c.Servers[0].Check, c.Servers[0].Rise = true, 0 },
			"f.cfg:9: error: server 'bk/a': rise 0, fall 3: wanted at least 1"},
		{"too many", func(c *conf.Backend) { c.Servers = slices.Repeat(c.Servers, 4096) },
			"f.cfg:3: error: backend 'bk': 4096 servers; balance roundrobin can use at most 4095"},
		{"backend without servers", func(c *conf.Backend) { c.Servers = nil }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := weighted(1)
			c.Pos = conf.Pos{File: "f.cfg", Line: 3}
			c.Servers[0].Pos = conf.Pos{File: "f.cfg", Line: 9}
			tt.edit(c)
			got := ""
			if _, ps := New(1, c, Means{Resolve: noNames}); ps.Err() != nil {
				got = ps.Err().Error()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestNewResolvesOnce(t *testing.T) {
	c := weighted(1, 1, 1)
	c.Servers[0].Address = conf.Address{Host: "web1", Port: 80}
	c.Servers[1].Address = conf.Address{Net: conf.NetUnix, Path: "/run/web"}
	c.Servers[2].Address = conf.Address{IP: netip.MustParseAddr("fe80::1%lo"), Port: 8080}
	asked := 0
	b, ps := New(1, c, Means{Resolve: func(host string) (netip.Addr, error) {
		asked++
		return netip.MustParseAddr("192.0.2.7"), nil
	}})
	if ps.Err() != nil || asked != 1 {
		t.Fatalf("%v, resolver asked %d times, want 1", ps.Err(), asked)
	}
	if got := b.Servers()[0].Target().Addr.String(); got != "192.0.2.7:80" {
		t.Errorf("address %s, want 192.0.2.7:80", got)
	}
	if s, at := b.Servers()[1], b.Servers()[1].Target(); at.Path != "/run/web" || at.Net != conf.NetUnix || s.Slot != 1 || s.ID != 2 || s.String() != "bk/b" {
		t.Errorf("server %s is number %d in slot %d, at %+v", s, s.ID, s.Slot, at)
	}
	if got := b.Servers()[2].Target().Addr.String(); got != "[fe80::1%lo]:8080" {
		t.Errorf("address %s, want [fe80::1%%lo]:8080", got)
	}
}
