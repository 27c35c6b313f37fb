package peer

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var bind = netip.MustParseAddrPort("127.0.0.1:20001")

func site(route Route, rules int, log bool) Site {
	s := Site{Route: route, Rules: rules, MaxConn: 2000, Servers: [2]netip.AddrPort{
		netip.MustParseAddrPort("127.0.0.1:20002"), netip.MustParseAddrPort("127.0.0.1:20003"),
	}}
	if log {
		s.Log = netip.MustParseAddrPort("127.0.0.1:20004")
	}
	return s
}

const wantHost = `global
    nbthread 2
    maxconn 2000
    log 127.0.0.1:20004 local0
    nbthread 1

defaults
    mode tcp
    timeout connect 5s
    timeout client 10m
    timeout server 10m
    log global
    option tcplog
    option splice-request

frontend site
    bind 127.0.0.1:20001
    tcp-request inspect-delay 5s
    tcp-request content accept if HTTP
    use_backend site0 if { hdr(host) -i h00000.site.test }
    use_backend site1 if { hdr(host) -i h00001.site.test }
    default_backend site0

backend site0
    server origin 127.0.0.1:20002

backend site1
    server origin 127.0.0.1:20003
`

const wantHTTP = `global
    nbthread 2
    maxconn 2000

defaults
    mode http
    timeout connect 5s
    timeout client 10m
    timeout server 10m
    timeout http-request 10s
    timeout http-keep-alive 10m

frontend site
    bind 127.0.0.1:20001
    use_backend site0 if { hdr(host) -i h00000.site.test }
    use_backend site1 if { hdr(host) -i h00001.site.test }
    default_backend site0

backend site0
    server origin 127.0.0.1:20002

backend site1
    server origin 127.0.0.1:20003
`

func inHTTP(s Site) Site {
	s.HTTP = true
	return s
}

func TestHAProxyConfigInHTTP(t *testing.T) {
	h := &HAProxy{}
	if diff := cmp.Diff(wantHTTP, h.config(inHTTP(site(Host, 2, false)), bind, "")); diff != "" {
		t.Error(diff)
	}
}

func TestHAProxyConfig(t *testing.T) {
	h := &HAProxy{Global: []string{"nbthread 1"}, Options: []string{"option splice-request"}}
	if diff := cmp.Diff(wantHost, h.config(site(Host, 2, true), bind, "")); diff != "" {
		t.Error(diff)
	}
	for _, test := range []struct {
		site     Site
		has, not string
	}{
		{site(SNI, 2, false), "use_backend site1 if { req.ssl_sni -i h00001.site.test }", "log"},
		{site(SNI, 2, false), "accept if { req.ssl_hello_type 1 }", "hdr(host)"},
		{site(Nothing, 0, false), "default_backend site0", "tcp-request"},
	} {
		got := h.config(test.site, bind, "")
		if !strings.Contains(got, test.has) || strings.Contains(got, test.not) {
			t.Errorf("wanted %q and not %q in\n%s", test.has, test.not, got)
		}
	}
	piped := HAProxy{Options: Splicing, Pipe: LargePipe}
	if got := piped.config(site(Nothing, 0, false), bind, ""); !strings.Contains(got, "    maxconn 2000\n    tune.pipesize 1048576\n") {
		t.Errorf("no large pipes in\n%s", got)
	}
	mapped := h.config(site(SNI, 100, false), bind, "/x/names.map")
	if want := "use_backend %[req.ssl_sni,lower,map(/x/names.map)]"; !strings.Contains(mapped, want) {
		t.Errorf("no %q in\n%s", want, mapped)
	}
}

// TestProgramsTakeTheirConfig lets each installed program check its configuration.
func TestProgramsTakeTheirConfig(t *testing.T) {
	found, err := FindHAProxy("haproxy", "haproxy")
	if err != nil {
		t.Skip("its own check needs haproxy: ", err)
	}
	for _, h := range found {
		for _, s := range []Site{site(Host, 50, true), site(SNI, 50, false), site(Nothing, 0, false), inHTTP(site(Host, 50, false))} {
			cmd, err := h.Command(s, bind, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			file := cmd.Args[len(cmd.Args)-1]
			if out, err := exec.Command(h.Bin, "-c", "-f", file).CombinedOutput(); err != nil {
				t.Errorf("%s, %v: %v: %s", h.Name(), s.Route, err, out)
			}
		}
	}
}

const wantNginx = `load_module /m.so;
daemon off;
pid /d/nginx.pid;
error_log stderr crit;
worker_processes 2;
worker_rlimit_nofile 4100;
events {
    worker_connections 4050;
}
stream {
    access_log off;
    proxy_connect_timeout 5s;
    proxy_timeout 10m;
    tcp_nodelay on;
    upstream site0 {
        server 127.0.0.1:20002;
    }
    upstream site1 {
        server 127.0.0.1:20003;
    }
    map_hash_max_size 2048;
    map_hash_bucket_size 128;
    map $ssl_preread_server_name $site {
        default site0;
        h00000.site.test site0;
        h00001.site.test site1;
    }
    server {
        listen 127.0.0.1:20001 reuseport backlog=4096;
        ssl_preread on;
        proxy_pass $site;
    }
}
`

func TestNginxConfig(t *testing.T) {
	n := &Nginx{Module: "/m.so"}
	if diff := cmp.Diff(wantNginx, n.config(site(SNI, 2, false), bind, "/d")); diff != "" {
		t.Error(diff)
	}
	large := site(Nothing, 0, false)
	large.Bulk = true
	if got := n.config(large, bind, "/d"); !strings.Contains(got, "    proxy_buffer_size 256k;\n") {
		t.Errorf("wanted large buffers for many bytes in\n%s", got)
	}
	blind := n.config(site(Host, 2, true), bind, "/d")
	if !strings.Contains(blind, "proxy_pass site0;") || strings.Contains(blind, "preread") {
		t.Errorf("wanted no routing by Host in\n%s", blind)
	}
	if !strings.Contains(blind, "access_log syslog:server=127.0.0.1:20004 tcplog;") {
		t.Errorf("wanted a log in\n%s", blind)
	}
}

func TestStreamModule(t *testing.T) {
	for built, want := range map[string]bool{
		"configure arguments: --with-stream --with-threads":                                         true,
		"configure arguments: --with-threads":                                                       false,
		"configure arguments: --with-stream=dynamic":                                                false,
		"configure arguments: --modules-path=/nowhere --with-stream=dynamic --with-stream_ssl_prer": false,
	} {
		if _, ok := streamModule(built); ok != want {
			t.Errorf("%v for %q", ok, built)
		}
	}
}

func TestParseSluice(t *testing.T) {
	sluice := pretending(t)
	s, err := ParseSluice("p4=" + sluice + " GOMAXPROCS=4 GOGC=off; nbthread 1 ;maxconn 9")
	if err != nil {
		t.Fatal(err)
	}
	want := &HAProxy{
		Label: "p4", Bin: sluice, Version: "sluice 1.2", Args: []string{"run", "-f"}, Sluice: true,
		Env: []string{"GOMAXPROCS=4", "GOGC=off"}, Global: []string{"nbthread 1", "maxconn 9"},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "x", "x=", "=/bin/true", "x=/no/such", "x=" + sluice + " GOGC", "x=/bin/true"} {
		if _, err := ParseSluice(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

// pretending returns a script that prints the version of Sluice.
func pretending(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sluice")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho sluice 1.2\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMissingProgramsAreNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for program, packages := range map[string]string{"haproxy": "haproxy", "nginx": "nginx libnginx-mod-stream", "no-such": "x"} {
		want := "(apt-get install --no-install-recommends " + packages + ")"
		if _, err := os.Stat("/usr/sbin/" + program); err == nil {
			want = "no " + program + " in PATH, yet in /usr/sbin (PATH=$PATH:/usr/sbin)"
		}
		_, err := exec.LookPath(program)
		if err = missing(program, err, packages); !strings.Contains(err.Error(), want) {
			t.Errorf("%v, wanted %s", err, want)
		}
	}
	if _, err := FindHAProxy("haproxy", "haproxy"); err == nil {
		t.Error("haproxy found in an empty PATH")
	}
	if _, err := FindNginx(); err == nil {
		t.Error("nginx found in an empty PATH")
	}
	if _, err := FindHAProxy("haproxy2", "/no/such"); err == nil || !strings.Contains(err.Error(), "/no/such") {
		t.Errorf("%v, wanted the path that was given", err)
	}
}
