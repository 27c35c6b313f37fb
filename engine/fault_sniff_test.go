//go:build !simulation

package engine

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// slowly has a frontend whose rules wait for bytes for at most 200 ms.
const slowly = `
  timeout connect 2s
  timeout client 10s
  timeout server 10s
  timeout http-request 200ms
`

const bySNI = `
frontend f
  bind 127.0.0.1:1
  use_backend named if { req.ssl_sni -i big.test }
  use_backend tls if { req.ssl_hello_type 1 }
  default_backend b
`

// Fault 8. A client that sends nothing goes to default_backend at the deadline. Protocols in
// which the server sends first therefore work.
func TestFault08SilentClient(t *testing.T) {
	for name, limit := range map[string]string{
		"timeout http-request":           "  timeout http-request 200ms\n",
		"inspect-delay":                  "  tcp-request inspect-delay 200ms\n",
		"inspect-delay before the other": "  timeout http-request 5s\n  tcp-request inspect-delay 200ms\n",
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, strings.Replace(sniffing, "  bind 127.0.0.1:1\n", "  bind 127.0.0.1:1\n"+limit, 1)+
				"  server s "+newPeer(t, says("220 ready")).String())
			c := b.dial("f")
			if got, err := io.ReadAll(c); string(got) != "220 ready" || err != nil {
				t.Errorf("%q, %v; want the banner", got, err)
			}
			c.Close()
			e := b.wantTerm("--")
			within(t, "wait", e.tw, 200, 200+soon)
		})
	}
}

// Without a directive for it, the deadline is 5 s.
func TestFault08DefaultDeadline(t *testing.T) {
	b := start(t, sniffing+"  server s "+newPeer(t, says("220 ready")).String())
	c := b.dial("f")
	if got, err := io.ReadAll(c); string(got) != "220 ready" || err != nil {
		t.Errorf("%q, %v; want the banner", got, err)
	}
	c.Close()
	e := b.wantTerm("--")
	within(t, "wait", e.tw, 5000, 5000+soon)
}

func TestFault08SilentClientWithoutDefault(t *testing.T) {
	b := start(t, slowly+`
frontend f
  bind 127.0.0.1:1
  use_backend b if { req.ssl_sni big.test }
backend b
  server s 127.0.0.1:9`)
	if got, err := io.ReadAll(b.dial("f")); len(got) > 0 || err != nil {
		t.Errorf("%q, %v; want the end", got, err)
	}
	e := b.wantTerm("SC")
	if e.server != "f/<NOSRV>" {
		t.Errorf("log line %q; want f/<NOSRV>", e.text)
	}
	within(t, "life", e.tt, 200, 200+soon)
}

// A rule that needs bytes does not delay a client that sends them.
func TestSniffingWaitsNoLongerThanNeeded(t *testing.T) {
	b := start(t, sniffing+"  server s "+newPeer(t, answers("fine")).String())
	if got := ask(t, b.dial("f"), head("any.test")); got != "fine" {
		t.Errorf("got %q", got)
	}
	e := b.wantTerm("--")
	within(t, "wait", e.tw, 0, soon)
}

// Fault 9. A hello in single bytes is routed correctly if it ends before the deadline, and cut
// off otherwise.
func TestFault09HelloByteByByte(t *testing.T) {
	hello := helloOf(t, "big.test", 0)
	t.Run("fast", func(t *testing.T) {
		b := start(t, bySNIOn(t, "  timeout http-request 10s\n"))
		c := b.dial("f")
		for i := range hello {
			_, _ = c.Write(hello[i : i+1])
		}
		wantRoute(t, c, "named", hello)
	})
	t.Run("slow", func(t *testing.T) {
		b := start(t, bySNIOn(t, "  timeout http-request 200ms\n"))
		c := b.dial("f")
		drip(c, hello, 20*time.Millisecond)
		if got, err := io.ReadAll(c); len(got) > 0 {
			t.Errorf("%q, %v; want the end", got, err)
		}
		e := b.wantTerm("cR")
		within(t, "life", e.tt, 200, 200+soon)
	})
	t.Run("slow with inspect-delay", func(t *testing.T) {
		b := start(t, strings.Replace(bySNIOn(t, ""), "  use_backend named", "  tcp-request inspect-delay 200ms\n  use_backend named", 1))
		c := b.dial("f")
		drip(c, hello[:20], 20*time.Millisecond)
		wantRoute(t, c, "b", hello[:20])
	})
}

// drip writes single bytes with pauses, until all are written or the other side has closed.
func drip(c net.Conn, text []byte, pause time.Duration) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for i := range text {
		if _, err := c.Write(text[i : i+1]); err != nil {
			return
		}
		<-tick.C
	}
}

// Fault 10. A hello of up to 64 KiB is read completely, however it is split into records.
// HAProxy 3.5 does not read any of these correctly.
func TestFault10HelloCutAndLong(t *testing.T) {
	b := start(t, bySNIOn(t, ""))
	for _, size := range []int{0, 17 << 10, 30 << 10, 60 << 10} {
		hello := helloOf(t, "big.test", size)
		if len(hello) < size {
			t.Fatalf("the hello has %d bytes only", len(hello))
		}
		for _, record := range []int{1, 7, 64, 500, 16 << 10} {
			cut := records(hello, record)
			c := b.dial("f")
			go func() { _, _ = c.Write(cut) }()
			wantRoute(t, c, "named", cut)
		}
	}
}

// Each complete hello of the corpus goes to the backend of its SNI. An IP address is not a
// name.
func TestFault10Corpus(t *testing.T) {
	b := start(t, strings.Replace(bySNIOn(t, ""), "-i big.test", "-m found", 1))
	for _, one := range corpusOfHellos(t) {
		want := "named"
		if net.ParseIP(one.sni) != nil || one.sni == "-" {
			want = "tls"
		}
		t.Run(one.name, func(t *testing.T) {
			c := b.dial("f")
			go func() { _, _ = c.Write(one.hello) }()
			wantRoute(t, c, want, one.hello)
		})
	}
}

// bySNIOn is bySNI with a timeout. Each server sends the name of its backend and then echoes.
func bySNIOn(t *testing.T, limit string) string {
	t.Helper()
	cfg := strings.Replace(slowly, "  timeout http-request 200ms\n", limit, 1) + bySNI
	for _, name := range []string{"named", "tls", "b"} {
		cfg += "backend " + name + "\n  server s " + newPeer(t, func(c *net.TCPConn) {
			_, _ = io.WriteString(c, name+":")
			echo(c)
		}).String() + "\n"
	}
	return cfg
}

// wantRoute sends FIN from the client and checks which backend got which bytes.
func wantRoute(t *testing.T, c net.Conn, backend string, sent []byte) {
	t.Helper()
	got := make([]byte, len(backend)+1+len(sent))
	n, err := io.ReadFull(c, got)
	if string(got[:n]) != backend+":"+string(sent) {
		t.Errorf("%q and %d bytes, %v; want %s: and %d bytes", got[:min(n, 8)], n, err, backend, len(sent))
	}
	c.Close()
}
