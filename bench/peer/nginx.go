package peer

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
)

// Nginx is nginx with its stream module. With reuseport each worker has its own listener.
type Nginx struct {
	Bin     string
	Version string
	Module  string // path of ngx_stream_module.so; empty: built in
}

// Name returns "nginx".
func (n *Nginx) Name() string { return "nginx" }

// About returns the version and the main settings.
func (n *Nginx) About() string { return n.Version + "; stream, reuseport" }

// Routes returns true for SNI only: the stream module cannot read an HTTP request.
func (n *Nginx) Routes(r Route) bool { return r == SNI }

// Command writes nginx.conf and returns the command.
func (n *Nginx) Command(s Site, bind netip.AddrPort, dir string) (*exec.Cmd, error) {
	file, err := write(dir, "nginx.conf", n.config(s, bind, dir))
	if err != nil {
		return nil, err
	}
	return exec.Command(n.Bin, "-e", "stderr", "-p", dir, "-c", file), nil
}

// tcplog is a log format with the fields of HAProxy's tcplog that nginx has.
const tcplog = `$remote_addr:$remote_port [$time_local] site $upstream_addr ` +
	`$upstream_connect_time/$session_time $bytes_sent $status $connection`

func (n *Nginx) config(s Site, bind netip.AddrPort, dir string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if n.Module != "" {
		line("load_module %s;", n.Module)
	}
	line("daemon off;\npid %s/nginx.pid;\nerror_log stderr crit;", dir)
	// nginx counts a relayed connection as two. A worker may get more than half of all
	// connections.
	line("worker_processes %d;\nworker_rlimit_nofile %d;", Threads, s.Files())
	line("events {\n    worker_connections %d;\n}\nstream {", 2*s.MaxConn+50)
	if s.Log.IsValid() {
		line("    log_format tcplog '%s';\n    access_log syslog:server=%s tcplog;", tcplog, s.Log)
	} else {
		line("    access_log off;")
	}
	line("    proxy_connect_timeout 5s;\n    proxy_timeout 10m;\n    tcp_nodelay on;")
	if s.Bulk {
		line("    proxy_buffer_size 256k;")
	}
	n.server(line, s, bind)
	line("}")
	return b.String()
}

func (n *Nginx) server(line func(string, ...any), s Site, bind netip.AddrPort) {
	for i, server := range s.Servers {
		line("    upstream site%d {\n        server %s;\n    }", i, server)
	}
	target := "site0"
	if s.Route == SNI {
		target = "$site"
		line("    map_hash_max_size %d;\n    map_hash_bucket_size 128;", max(2048, 4*s.Rules))
		line("    map $ssl_preread_server_name $site {\n        default site0;")
		for i := range s.Rules {
			line("        %s site%d;", Name(i), Of(i))
		}
		line("    }")
	}
	line("    server {\n        listen %s reuseport backlog=4096;", bind)
	if s.Route == SNI {
		line("        ssl_preread on;")
	}
	line("        proxy_pass %s;\n    }", target)
}
