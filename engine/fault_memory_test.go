package engine

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"sluice/engine/relay"
)

// used returns the bytes that are held for a purpose.
func (b *balancer) used(p relay.Purpose) int64 { return b.memory[p].Used() }

// inTwo writes text in two pieces, the second once the first is held.
func (b *balancer) inTwo(c net.Conn, text string, first int) {
	b.t.Helper()
	before := b.used(relay.ForInspection)
	_, _ = io.WriteString(c, text[:first])
	wait(b.t, "the first piece to be held", func() bool { return b.used(relay.ForInspection) > before })
	_, _ = io.WriteString(c, text[first:])
}

// besideReaders is a frontend in mode tcp that looks at hellos, one in mode http,
// and one whose clients download without end.
func besideReaders(t *testing.T) string {
	t.Helper()
	return bySNIOn(t, "  timeout http-request 10s\n") + "defaults" + webDefaults + `
frontend web
  bind 127.0.0.2:1
  default_backend site
backend site
  server s ` + website(t, "one") + `
defaults
  mode tcp
  option tcplog
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend downloads
  bind 127.0.0.3:1
  default_backend endless
backend endless
  server s ` + listen(t, func(c *net.TCPConn) { _ = push(c) }).String()
}

// TestStalledReadersLeaveRoomForHeads: with all that slow readers may hold used
// up, hellos and heads in two pieces are read as ever.
func TestStalledReadersLeaveRoomForHeads(t *testing.T) {
	b := startWith(t, besideReaders(t), func(o *Options) { o.Plan.Memory.Readers = 1 })
	for range 4 {
		b.dialSmall("downloads")
	}
	wait(t, "the readers' memory to be used up", func() bool { return b.used(relay.ForReader) > 0 })
	for range 3 {
		hello := helloOf(t, "big.test", 1800)
		c := b.dial("f")
		b.inTwo(c, string(hello), 1400)
		wantRoute(t, c, "named", hello)

		web := b.dial("web")
		b.inTwo(web, "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 20)
		if got, err := fetch(web); !strings.HasSuffix(got, "one GET /a ") || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

// TestLongHeadsLeaveRoomForUsualOnes: clients who never end heads of 60 KiB may
// use up what all heads together may hold; one of the usual size has room then.
func TestLongHeadsLeaveRoomForUsualOnes(t *testing.T) {
	const most = 256 << 10
	b := startWith(t, besideReaders(t), func(o *Options) { o.Plan.Memory.Inspection = most })
	long := strings.Repeat("X-Long: "+strings.Repeat("y", 1000)+"\r\n", 60)
	unfinished := map[string]string{"f": string(helloOf(t, "big.test", 60<<10)[:60_000]), "web": "GET / HTTP/1.1\r\n" + long}
	for i := int64(1); i <= most>>16; i++ {
		to := []string{"f", "web"}[i%2]
		_, _ = io.WriteString(b.dial(to), unfinished[to])
		wait(t, "it to be held", func() bool { return b.used(relay.ForInspection) == i<<16 })
	}
	web := b.dial("web")
	_, _ = io.WriteString(web, unfinished["web"])
	if got, err := fetch(web); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("a head of 60 KiB got %.20q, %v; want 503", got, err)
	}
	held := b.used(relay.ForInspection)
	for range 20 {
		web := b.dial("web")
		b.inTwo(web, "GET /a HTTP/1.1\r\nHost: a\r\nX-Usual: "+strings.Repeat("y", 7<<10)+"\r\nConnection: close\r\n\r\n", 7<<10)
		if got, err := fetch(web); !strings.HasSuffix(got, "one GET /a ") || err != nil {
			t.Errorf("a head of 7 KiB got %q, %v", got, err)
		}
		hello := helloOf(t, "big.test", 7<<10)
		c := b.dial("f")
		b.inTwo(c, string(hello), 7<<10)
		wantRoute(t, c, "named", hello)
	}
	if now := b.used(relay.ForInspection); now > held {
		t.Errorf("%d bytes are held, %d were before", now, held)
	}
}

// TestLogRecordsTakeWhatTheyNeed: what the lines of outstanding requests will
// tell is kept by its length, and takes nothing from slow readers.
func TestLogRecordsTakeWhatTheyNeed(t *testing.T) {
	const many = 50
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+listen(t, silent).String())
	for range many {
		c := b.dial("f")
		defer reset(c)
		_, _ = io.WriteString(c, "GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	}
	wait(t, "the requests to be out", func() bool { return b.site.backends[0].Stat.Cur() == many })
	if n := b.used(relay.ForRecord); n == 0 || n > many*256 {
		t.Errorf("%d bytes for %d records; want some, and at most 256 for each", n, many)
	}
	if n := b.used(relay.ForReader); n != 0 {
		t.Errorf("%d bytes of slow readers; want 0", n)
	}
}

// TestLogLeavesOutCaptures: with the memory for log lines used up, a request has
// its line all the same, without the captures that are long.
func TestLogLeavesOutCaptures(t *testing.T) {
	b := startWith(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  capture request header X-Short len 10
  capture request header X-Long len 8000
  default_backend b
backend b
  server s `+listen(t, silent).String(), func(o *Options) { o.Plan.Memory.Records = 1 })
	long := strings.Repeat("y", 4000)
	ask := func() net.Conn {
		before := b.used(relay.ForRecord)
		c := b.dial("f")
		_, _ = io.WriteString(c, "GET /a HTTP/1.1\r\nHost: a\r\nX-Short: s\r\nX-Long: "+long+"\r\n\r\n")
		wait(t, "the request to be out", func() bool { return b.used(relay.ForRecord) > before })
		return c
	}
	first, second := ask(), ask()
	for _, one := range []struct {
		conn net.Conn
		want string
	}{{second, "{s|} \"GET /a HTTP/1.1\""}, {first, "{s|" + long[:100]}} {
		reset(one.conn)
		if line := b.line(); !strings.Contains(line, one.want) {
			t.Errorf("log line %q; want %q in it", line, one.want)
		}
	}
}

// TestAnswersHeadOfAnyLengthIsHeld: what rules make of an answer's head may be
// more than 1 MiB, and the client may take it slowly.
func TestAnswersHeadOfAnyLengthIsHeld(t *testing.T) {
	const rules = 100
	field := strings.Repeat("y", 60_000)
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
`+strings.Repeat("  http-response add-header X-Copy %[res.fhdr(x-long)]\n", rules)+"  server s "+listen(t, func(c *net.TCPConn) {
		readHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Long: "+field+"\r\nContent-Length: 4\r\n\r\nfine")
	}).String())
	c := b.dialSmall("f")
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	wait(t, "the head to be held", func() bool { return b.used(relay.ForReader) > 1<<20 })
	got, err := io.ReadAll(c)
	if n := bytes.Count(got, []byte(field)); n != rules+1 || !bytes.HasSuffix(got, []byte("\r\n\r\nfine")) {
		t.Errorf("the field came %d times in %d bytes, then %v; want %d times", n, len(got), err, rules+1)
	}
}

// TestLongAnswersLeaveRoomForUsualOnes: with the memory for heads of answers used
// up, a long one that comes in pieces is refused, and the usual ones are not.
func TestLongAnswersLeaveRoomForUsualOnes(t *testing.T) {
	const one = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"
	long := "X-Long: " + strings.Repeat("y", 20_000) + "\r\n"
	next := make(chan bool)
	b := startWith(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+listen(t, func(c *net.TCPConn) {
		first := one
		if strings.Contains(readHead(c), "/long") {
			first += long
		}
		_, _ = io.WriteString(c, first)
		<-next
		_, _ = io.WriteString(c, "\r\nfine")
		silent(c)
	}).String(), func(o *Options) { o.Plan.Memory.Answers = 1 })
	ask := func(path string) net.Conn {
		c := b.dial("f")
		_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		return c
	}
	first := ask("/long")
	wait(t, "its head to be held", func() bool { return b.used(relay.ForAnswer) > 16<<10 })
	if got, err := fetch(ask("/long")); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("a long head got %.20q, %v; want 503", got, err)
	}
	if line := b.line(); !strings.Contains(line, " RH-- ") {
		t.Errorf("log line %q; want RH", line)
	}
	held := b.used(relay.ForAnswer)
	usual := ask("/usual")
	wait(t, "its head to be held", func() bool { return b.used(relay.ForAnswer) > held })
	close(next)
	for name, c := range map[string]net.Conn{"/long": first, "/usual": usual} {
		if got, err := fetch(c); !strings.HasSuffix(got, "\r\n\r\nfine") {
			t.Errorf("%s got %.40q, %v", name, got, err)
		}
	}
}

// TestAnswersHeadIsBounded: a server's head of more than 64 KiB is no answer, and
// an interim one of that size neither.
func TestAnswersHeadIsBounded(t *testing.T) {
	for _, status := range []string{"200 OK", "103 Early Hints"} {
		t.Run(status, func(t *testing.T) {
			b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+listen(t, func(c *net.TCPConn) {
				readHead(c)
				_, _ = io.WriteString(c, "HTTP/1.1 "+status+"\r\n")
				for range 2 << 20 / 1000 {
					if _, err := io.WriteString(c, "X-Long: "+strings.Repeat("y", 990)+"\r\n"); err != nil {
						return
					}
				}
			}).String())
			c := b.dial("f")
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || resp.StatusCode != 502 {
				t.Errorf("got %v, %v; want 502", resp, err)
			}
		})
	}
}
