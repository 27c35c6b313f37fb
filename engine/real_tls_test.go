//go:build !simulation

package engine

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// tlsServer starts an openssl server that has a certificate for name and sends each line back
// reversed. It returns the server's address and its certificate.
func tlsServer(t *testing.T, name string) (addr, cert string) {
	t.Helper()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	tool(t, "", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
		"-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN="+name, "-addext", "subjectAltName=DNS:"+name)
	s := background(t, "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", cert, "-key", key, "-rev")
	return s.tells(`ACCEPT (\S+:\d+)`), cert
}

// TestRealTLSBySNI: TLS is passed on to the server that the client has named. Each client
// checks this by the certificate.
func TestRealTLSBySNI(t *testing.T) {
	one, oneCert := tlsServer(t, "one.test")
	two, twoCert := tlsServer(t, "two.test")
	b := start(t, `
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend f
  bind 127.0.0.1:1
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend one if { req.ssl_sni -i one.test }
  default_backend two
backend one
  server s `+one+`
backend two
  server s `+two)
	for _, c := range []struct {
		name string
		cert string
		args []string
	}{
		{"one.test", oneCert, []string{"-servername", "one.test"}},
		{"one.test", oneCert, []string{"-servername", "ONE.TEST"}},
		{"one.test", oneCert, []string{"-servername", "one.test", "-tls1_2"}},
		{"one.test", oneCert, []string{"-servername", "one.test", "-alpn", strings.Repeat("protocol,", 500) + "h2"}},
		{"two.test", twoCert, []string{"-servername", "two.test"}},
		{"two.test", twoCert, []string{"-noservername"}},
	} {
		args := []string{"s_client", "-quiet", "-connect", b.addrs["f"].String(), "-CAfile", c.cert,
			"-verify_return_error", "-verify_hostname", c.name}
		if got := tool(t, "hello\nCLOSE\n", "openssl", append(args, c.args...)...); got != "olleh\n" {
			t.Errorf("%.100s: got %q; want the line reversed", strings.Join(c.args, " "), got)
		}
		b.wantTerm("--")
	}
}

// mail is an SMTP server with just enough commands for a client that sends no mail. The server
// sends first.
func mail(c *net.TCPConn) {
	line := make([]byte, 512)
	for answer := "220 mail.test ready\r\n"; ; answer = "250 fine\r\n" {
		if _, err := c.Write([]byte(answer)); err != nil {
			return
		}
		if _, err := c.Read(line); err != nil {
			return
		}
	}
}

// TestRealServerSpeaksFirst: a client that waits for a banner gets it, even if rules first wait
// for bytes of the client.
func TestRealServerSpeaksFirst(t *testing.T) {
	s := newPeer(t, mail).String()
	for name, rules := range map[string]string{
		"no rules": "",
		"rules":    "  timeout http-request 200ms\n  use_backend other if { hdr(host) other.test }\n",
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, `
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend f
  bind 127.0.0.1:1
`+rules+`
  default_backend b
backend other
  server s `+deadPort(t)+`
backend b
  server s `+s)
			got := tool(t, "", "curl", "-sS", "--noproxy", "*", "-v", "--stderr", "-", "smtp://"+b.addrs["f"].String(), "-X", "NOOP")
			for _, want := range []string{"< 220 mail.test ready", "> NOOP", "< 250 fine"} {
				if !strings.Contains(got, want) {
					t.Errorf("curl does not show %q:\n%s", want, got)
				}
			}
			b.wantTerm("--")
		})
	}
}
