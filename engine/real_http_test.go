//go:build !simulation

package engine

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wsgiApp is a typical small web application. It answers with its name and a description of the
// request, and echoes WebSocket messages on /socket.
const wsgiApp = `
import hashlib, sys
import eventlet
from eventlet import websocket, wsgi

name = sys.argv[1]

@websocket.WebSocketWSGI
def echo(socket):
    for message in iter(socket.wait, None):
        socket.send(message)

def site(env, start):
    if env['PATH_INFO'] == '/socket':
        return echo(env, start)
    body = env['wsgi.input'].read()
    start('200 OK', [('Content-Type', 'text/plain')])
    words = (name, env['REQUEST_METHOD'], env['HTTP_HOST'], env['PATH_INFO'], hashlib.sha256(body).hexdigest())
    return [(' '.join(words) + '\n').encode()]

listener = eventlet.listen(('127.0.0.1', 0))
print('port %d.' % listener.getsockname()[1], flush=True)
wsgi.server(listener, site, log_output=False)
`

// wsgi starts the application with this name and returns its address.
func wsgi(t *testing.T, name string) string {
	t.Helper()
	app := background(t, "/usr/bin/python3", write(t, "app.py", wsgiApp), name)
	return "127.0.0.1:" + app.tells(`port (\d+)\.`)
}

// nginx starts an nginx that serves a directory, and returns its address.
func nginx(t *testing.T, root string) string {
	t.Helper()
	addr, dir := deadPort(t), t.TempDir()
	file := write(t, "nginx.conf", fmt.Sprintf(`
pid %[1]s/pid;
error_log stderr;
daemon off;
master_process off;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/a;
  proxy_temp_path %[1]s/b;
  fastcgi_temp_path %[1]s/c;
  uwsgi_temp_path %[1]s/d;
  scgi_temp_path %[1]s/e;
  server { listen %[2]s; root %[3]s; }
}`, dir, addr, root))
	background(t, "nginx", "-p", dir, "-c", file, "-e", "stderr").serves("tcp", addr)
	return addr
}

// sites starts a balancer for two WSGI applications and nginx, selected by Host.
func sites(t *testing.T, root string) *balancer {
	t.Helper()
	return start(t, `
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend f
  bind 127.0.0.1:1
  use_backend one if { hdr(host) -i one.test }
  use_backend two if { hdr_dom(host) -i two.test }
  default_backend files
backend one
  server s `+wsgi(t, "one")+`
backend two
  server s `+wsgi(t, "two")+`
backend files
  server s `+nginx(t, root))
}

func TestRealSitesByHost(t *testing.T) {
	root := t.TempDir()
	large := string(newContent(1, 8<<20).next(blockSize))
	if err := os.WriteFile(filepath.Join(root, "large"), []byte(large), 0o644); err != nil {
		t.Fatal(err)
	}
	upload := write(t, "upload", large)
	b := sites(t, root)
	url := func(path string) string { return "http://" + b.addrs["f"].String() + path }
	nothing, all := sha256.Sum256(nil), sha256.Sum256([]byte(large))
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"GET", []string{"-H", "Host: one.test", url("/a?b=c")}, fmt.Sprintf("one GET one.test /a %x\n", nothing)},
		{"Host in capitals", []string{"-H", "Host: ONE.test", url("/")}, fmt.Sprintf("one GET ONE.test / %x\n", nothing)},
		{"part of Host", []string{"-H", "Host: www.two.test", url("/")}, fmt.Sprintf("two GET www.two.test / %x\n", nothing)},
		{"HTTP/1.0", []string{"-0", "-H", "Host: two.test", url("/")}, fmt.Sprintf("two GET two.test / %x\n", nothing)},
		{"HEAD", []string{"-I", "-o", os.DevNull, "-w", "%{http_code}", "-H", "Host: one.test", url("/")}, "200"},
		{"POST that expects 100", []string{"-H", "Host: one.test", "-H", "Expect: 100-continue", "--data-binary", "@" + upload, url("/")},
			fmt.Sprintf("one POST one.test / %x\n", all)},
		{"chunked PUT", []string{"-H", "Host: two.test", "-H", "Transfer-Encoding: chunked", "-T", upload, url("/")},
			fmt.Sprintf("two PUT two.test /upload %x\n", all)},
		{"kept alive", []string{"-H", "Host: one.test", url("/1"), url("/2")},
			fmt.Sprintf("one GET one.test /1 %x\none GET one.test /2 %[1]x\n", nothing)},
		{"another Host", []string{url("/large")}, large},
		{"part of a file", []string{"-r", "100-199", url("/large")}, large[100:200]},
		{"not found", []string{"-o", os.DevNull, "-w", "%{http_code}", url("/none")}, "404"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := tool(t, "", "curl", append([]string{"-sS", "--noproxy", "*"}, c.args...)...); got != c.want {
				t.Errorf("curl %s: %d bytes %.200q; want %d bytes %.200q", strings.Join(c.args, " "), len(got), got, len(c.want), c.want)
			}
			b.wantTerm("--")
		})
	}
}

func TestRealParallelClients(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "page"), []byte("page"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := sites(t, root)
	args := []string{"-sS", "--noproxy", "*", "-Z", "--parallel-immediate", "--parallel-max", "50",
		"-o", os.DevNull, "-w", "%{http_code}\n"}
	got := tool(t, "", "curl", append(args, "http://"+b.addrs["f"].String()+"/page?[1-500]")...)
	if n := strings.Count(got, "200\n"); n != 500 {
		t.Errorf("%d of 500 requests were answered with 200: %.100q", n, got)
	}
}
