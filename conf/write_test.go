package conf

import (
	"slices"
	"strings"
	"testing"
)

// The expected output of `sluice convert`: common settings in defaults, no default values, short
// lists on one line.
func TestWriteTOMLReadsLikeAHandWrittenFile(t *testing.T) {
	cfg := parse(t, `
global
    maxconn 20000
    log 127.0.0.1:514 local0
    log 10.0.0.1:1514 len 4096 format rfc5424 local1 notice
    stats socket /run/s.sock mode 660 level admin
    stats timeout 90s
defaults
    log global
    option tcplog
    option dontlognull
    timeout connect 5000
    timeout client 3600s
    timeout server 3600s
    retries 3
frontend www.example.org
    bind *:80,:::80 name both
    maxconn 100
    acl blog hdr(host),field(1,:) -i blog.example.org "a b"
    tcp-request connection reject if { src 10.0.0.0/8 } !LOCALHOST or { src ::1 }
    use_backend blog if blog
    default_backend blog
backend blog
    option redispatch
    balance roundrobin
    server a 127.0.0.1:8001 weight 1 check inter 2000 rise 2 fall 5
    server b /run/b.sock backup
listen ssh
    bind 127.0.0.1:2222
    timeout tunnel 1d
    server a 192.0.2.1:22 disabled
`)
	golden(t, "testdata/convert.toml", roundTrip(t, cfg))
}

// TestSetcap: lines of haproxy.cfg and entries of a TOML list add up to the same set.
func TestSetcap(t *testing.T) {
	const rest = "defaults\ntimeout connect 1s\ntimeout client 1s\ntimeout server 1s\nlisten l\nbind :1\nserver s 127.0.0.1:2\n"
	cfg := parse(t, "global\nsetcap cap_net_raw,cap_net_bind_service\nsetcap cap_sys_admin,cap_net_admin\n"+rest)
	want := []string{"cap_net_raw", "cap_net_bind_service", "cap_sys_admin", "cap_net_admin"}
	if !slices.Equal(cfg.Global.SetCap, want) {
		t.Errorf("got %v, want %v", cfg.Global.SetCap, want)
	}
	line := `setcap = ["cap_net_raw", "cap_net_bind_service", "cap_sys_admin", "cap_net_admin"]`
	if text := roundTrip(t, cfg); !strings.Contains(text, line+"\n") {
		t.Errorf("no %s in\n%s", line, text)
	}
}
