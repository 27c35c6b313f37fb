package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"sluice/conf"
	"sluice/engine/acl"
	"sluice/sniff"
)

// client describes a client that explain invents: its address and the bytes that
// it sends first.
type client struct {
	src                   string
	host, path, method    string
	headers               []string
	sni                   string
	alpn                  []string
	speaksHTTP, speaksTLS bool
}

func (c *client) flags(f *pflag.FlagSet) {
	f.StringVar(&c.src, "src", "127.0.0.1", "address of the client, or address:port")
	f.StringVar(&c.host, "host", "", "Host of an HTTP request")
	f.StringVar(&c.path, "path", "/", "path of an HTTP request")
	f.StringVar(&c.method, "method", "GET", "method of an HTTP request")
	f.StringArrayVar(&c.headers, "header", nil, "header of an HTTP request, as 'Name: value'; may be repeated")
	f.StringVar(&c.sni, "sni", "", "server name in a TLS ClientHello")
	f.StringSliceVar(&c.alpn, "alpn", nil, "protocols in a TLS ClientHello, as 'h2,http/1.1'")
}

// findProtocol derives the protocol of the client from the flags that were given.
func (c *client) findProtocol(f *pflag.FlagSet) error {
	any := func(names ...string) bool { return slices.ContainsFunc(names, f.Changed) }
	c.speaksHTTP = any("host", "path", "method", "header")
	c.speaksTLS = any("sni", "alpn")
	if c.speaksHTTP && c.speaksTLS {
		return errors.New("a connection starts with an HTTP request (--host, --path, --method, --header) or with TLS (--sni, --alpn), not with both: what is inside TLS cannot be seen")
	}
	return nil
}

// address returns the client's address; without a port in --src it has port 50000.
func (c *client) address() (netip.AddrPort, error) {
	if ap, err := netip.ParseAddrPort(c.src); err == nil {
		return ap, nil
	}
	ip, err := netip.ParseAddr(c.src)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("--src '%s': want an IP address, or address:port", c.src)
	}
	return netip.AddrPortFrom(ip, 50000), nil
}

// firstBytes returns the bytes that the client sends before it receives any.
func (c *client) firstBytes() ([]byte, error) {
	switch {
	case c.speaksHTTP:
		return c.head()
	case c.speaksTLS:
		return hello(c.sni, c.alpn)
	}
	return nil, nil
}

// head builds an HTTP/1.1 request, or HTTP/1.0 if there is no Host.
func (c *client) head() ([]byte, error) {
	var b strings.Builder
	version := "1.1"
	if c.host == "" {
		version = "1.0"
	}
	fmt.Fprintf(&b, "%s %s HTTP/%s\r\n", c.method, c.path, version)
	if c.host != "" {
		fmt.Fprintf(&b, "Host: %s\r\n", c.host)
	}
	for _, h := range c.headers {
		if !strings.Contains(h, ":") {
			return nil, fmt.Errorf("--header '%s': want 'Name: value'", h)
		}
		b.WriteString(h + "\r\n")
	}
	b.WriteString("\r\n")
	head := []byte(b.String())
	if f := sniffed(head); f.HTTP.Verdict != sniff.Yes || f.Len != len(head) {
		return nil, fmt.Errorf("these flags make no valid HTTP request: %q", head)
	}
	return head, nil
}

// hello builds the ClientHello that Go's TLS client sends.
func hello(name string, alpn []string) ([]byte, error) {
	var sent recorder
	config := &tls.Config{ServerName: name, NextProtos: alpn, InsecureSkipVerify: true} // it never meets a server
	err := tls.Client(&sent, config).Handshake()
	if len(sent.b) == 0 {
		return nil, fmt.Errorf("these flags make no valid ClientHello: %w", err)
	}
	return sent.b, nil
}

// recorder is a connection that keeps written bytes and ends on the first read.
type recorder struct{ b []byte }

func (r *recorder) Write(p []byte) (int, error) {
	r.b = append(r.b, p...)
	return len(p), nil
}

func (*recorder) Read([]byte) (int, error)         { return 0, io.EOF }
func (*recorder) Close() error                     { return nil }
func (*recorder) LocalAddr() net.Addr              { return nil }
func (*recorder) RemoteAddr() net.Addr             { return nil }
func (*recorder) SetDeadline(time.Time) error      { return nil }
func (*recorder) SetReadDeadline(time.Time) error  { return nil }
func (*recorder) SetWriteDeadline(time.Time) error { return nil }

// facts returns the facts that the rules of frontend f would see of this imaginary client after
// its first bytes.
func (c *client) facts(f *conf.Frontend) (*acl.Facts, error) {
	src, err := c.address()
	if err != nil {
		return nil, err
	}
	first, err := c.firstBytes()
	if err != nil {
		return nil, err
	}
	facts := &acl.Facts{Src: src, Dst: firstAddress(f), Final: true}
	if len(first) > 0 {
		facts.Sniff = sniffed(first)
	}
	return facts, nil
}

// firstAddress returns the address of the frontend's first bind line.
func firstAddress(f *conf.Frontend) netip.AddrPort {
	if len(f.Binds) == 0 || f.Binds[0].Address.Net != conf.NetTCP {
		return netip.AddrPort{}
	}
	a := f.Binds[0].Address
	if !a.IP.IsValid() || a.IP.IsUnspecified() {
		a.IP = netip.AddrFrom4([4]byte{127, 0, 0, 1}) // a wildcard is no destination address; any address will do
	}
	return netip.AddrPortFrom(a.IP, a.Port)
}

// sniffed returns the facts that the sniffer finds in b.
func sniffed(b []byte) *sniff.Facts {
	var st sniff.State
	f := new(sniff.Facts)
	sniff.NewScanner().Sniff(&st, b, f)
	return f
}
