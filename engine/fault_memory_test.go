//go:build !simulation

package engine

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"sluice/engine/relay"
	"sluice/engine/session"
)

// used returns the number of bytes held for a purpose.
func (b *balancer) used(p relay.Purpose) int64 { return b.Memory[p].Used() }

// inTwo writes text in two pieces. It writes the second when the first is held.
func (b *balancer) inTwo(c net.Conn, text string, first int) {
	b.t.Helper()
	before := b.used(relay.ForInspection)
	_, _ = io.WriteString(c, text[:first])
	wait(b.t, "the first piece to be held", func() bool { return b.used(relay.ForInspection) > before })
	_, _ = io.WriteString(c, text[first:])
}

// inPieces writes text cut at these places. It writes each piece when the loops have handled
// the one before.
func (b *balancer) inPieces(c net.Conn, text string, cuts ...int) {
	from := 0
	for _, to := range cuts {
		_, _ = io.WriteString(c, text[from:to])
		from = to
		b.settle()
	}
	_, _ = io.WriteString(c, text[from:])
}

// settle waits until all loops have handled the events that are present now.
func (b *balancer) settle() {
	for range 2 { // the first of them may be in the midst of a batch
		done := make(chan bool, len(b.Loops))
		b.tell(func(*session.Loop) error { done <- true; return nil })
		for range b.Loops {
			<-done
		}
	}
}

// besideReaders is a configuration of three frontends: one in mode tcp that inspects TLS
// hellos, one in mode http, and one whose clients download endlessly.
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
  server s ` + newPeer(t, func(c *net.TCPConn) { _ = push(c) }).String()
}

// TestStalledReadersLeaveRoomForHeads: slow readers have used up their budget. Hellos and heads
// in two pieces are still read.
func TestStalledReadersLeaveRoomForHeads(t *testing.T) {
	b := startWith(t, besideReaders(t), func(o *Options) { o.Plan.Memory.Readers = 1 })
	for range 2 {
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

// TestHeadsAreReadWithoutMemory: clients with unfinished heads of 60 KiB use up the budget for
// heads. Other heads are then parsed in their sockets, even if a part of them is held already.
func TestHeadsAreReadWithoutMemory(t *testing.T) {
	const part, whole = 256, 64 << 10
	const most = 2*part + 2*whole
	b := startWith(t, besideReaders(t), func(o *Options) { o.Plan.Memory.Inspection = most })
	fields := strings.Repeat("X-Long: "+strings.Repeat("y", 1000)+"\r\n", 60)
	hello, request := string(helloOf(t, "big.test", 60<<10)), "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
	held := int64(0)
	begin := func(to, text string, takes int64) net.Conn {
		c := b.dial(to)
		_, _ = io.WriteString(c, text)
		held += takes
		wait(t, "it to be held", func() bool { return b.used(relay.ForInspection) == held })
		return c
	}
	ends := []struct {
		to, text string
		begun    net.Conn
		sent     int
	}{
		{"f", hello, begin("f", hello[:20], part), 20},
		{"web", request + fields + "\r\n", begin("web", request[:20], part), 20},
		{"f", hello, nil, 0},
		{"web", request + fields + "\r\n", nil, 0},
		{"f", string(helloOf(t, "big.test", 0)), nil, 0},
		{"web", request + "\r\n", nil, 0},
	}
	begin("f", hello[:60_000], whole)
	begin("web", request+fields, whole)
	for _, end := range ends {
		c, rest := end.begun, end.text[end.sent:]
		if c == nil {
			c = b.dial(end.to)
		}
		b.inPieces(c, rest[:len(rest)-2], 10, len(rest)/2, len(rest)-2)
		if now := b.used(relay.ForInspection); now != held {
			t.Errorf("%d bytes are held; want %d", now, held)
		}
		_, _ = io.WriteString(c, rest[len(rest)-2:])
		if end.to == "f" {
			wantRoute(t, c, "named", []byte(end.text))
		} else if got, err := fetch(c); !strings.HasSuffix(got, "one GET /a ") || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		if end.begun != nil { // another client uses the memory that this one frees
			held -= part
			begin("f", hello[:20], part)
		}
	}
}

// TestHeadsEndWithoutMemory: the same clients send FIN or RST, or send nothing until the
// timeout.
func TestHeadsEndWithoutMemory(t *testing.T) {
	b := startWith(t, bySNIOn(t, "  timeout http-request 500ms\n"), func(o *Options) { o.Plan.Memory.Inspection = 1 })
	hello := helloOf(t, "big.test", 0)
	first := b.dial("f")
	b.inPieces(first, string(hello[:20]), 20)
	t.Run("FIN", func(t *testing.T) {
		c := b.dial("f")
		b.inPieces(c, string(hello[:20]), 10, 20)
		closeWrite(t, c)
		wantRoute(t, c, "b", hello[:20])
		b.wantTerm("--")
	})
	t.Run("RST", func(t *testing.T) {
		c := b.dial("f")
		b.inPieces(c, string(hello[:20]), 10, 20)
		reset(c)
		b.wantTerm("CR")
	})
	t.Run("time", func(t *testing.T) {
		c := b.dial("f")
		b.inPieces(c, string(hello[:20]), 10, 20)
		for range 2 {
			b.wantTerm("cR")
		}
	})
}

// TestLogRecordsTakeWhatTheyNeed: the parts of log lines of outstanding requests are charged by
// their length. They take nothing from the budget of slow readers.
func TestLogRecordsTakeWhatTheyNeed(t *testing.T) {
	const many = 50
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+newPeer(t, silent).String())
	for range many {
		c := b.dial("f")
		defer reset(c)
		_, _ = io.WriteString(c, "GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n")
	}
	wait(t, "the requests to be out", func() bool { return b.today().Backends[0].Stat.Cur() == many })
	if n := b.used(relay.ForRecord); n == 0 || n > many*256 {
		t.Errorf("%d bytes for %d records; want some, and at most 256 for each", n, many)
	}
	if n := b.used(relay.ForReader); n != 0 {
		t.Errorf("%d bytes of slow readers; want 0", n)
	}
}

// TestLogLeavesOutCaptures: the budget for log lines is used up. A request still gets its line,
// without the long captures.
func TestLogLeavesOutCaptures(t *testing.T) {
	b := startWith(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  capture request header X-Short len 10
  capture request header X-Long len 8000
  default_backend b
backend b
  server s `+newPeer(t, silent).String(), func(o *Options) { o.Plan.Memory.Records = 1 })
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

// TestAnswerOfAnyLengthIsHeld: a rule may answer with more than 1 MiB, and the client may read it
// slowly.
func TestAnswerOfAnyLengthIsHeld(t *testing.T) {
	body := strings.Repeat("y", 6_000_000)
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  http-request return status 200 content-type a/b string `+body+`
`)
	c := b.dialSmall("f")
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	wait(t, "the answer to be held", func() bool { return b.used(relay.ForReader) > 1<<20 })
	got, err := io.ReadAll(c)
	if !strings.HasSuffix(string(got), "\r\n\r\n"+body) {
		t.Errorf("the client got %d bytes, then %v; want a body of %d", len(got), err, len(body))
	}
}

// TestAnswersAreReadWithoutMemory does the same with the heads of answers.
func TestAnswersAreReadWithoutMemory(t *testing.T) {
	const part, whole = 256, 64 << 10
	var b *balancer
	spent := make(chan bool)
	text := "HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("y", 40_000) + "\r\nContent-Length: 4\r\n\r\nfine"
	b = startWith(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+newPeer(t, func(c *net.TCPConn) {
		defer silent(c)
		rest := text
		switch head := readHead(c); {
		case strings.Contains(head, "/unfinished"):
			_, _ = io.WriteString(c, text[:len(text)-6])
			return
		case strings.Contains(head, "/part"):
			_, _ = io.WriteString(c, text[:20])
			<-spent
			rest = text[20:]
		}
		b.inPieces(c, rest[:len(rest)-5], 10, 20_000, len(rest)-5)
		if now := b.used(relay.ForAnswer); now != part+whole {
			t.Errorf("%d bytes are held; want %d", now, part+whole)
		}
		_, _ = io.WriteString(c, rest[len(rest)-5:])
	}).String(), func(o *Options) { o.Plan.Memory.Answers = part + whole })
	ask := func(path string, held int64) net.Conn {
		c := b.dial("f")
		_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		wait(t, "its head to be held", func() bool { return b.used(relay.ForAnswer) >= held })
		return c
	}
	begun := ask("/part", part)
	defer reset(ask("/unfinished", part+whole))
	for _, c := range []net.Conn{ask("/", 0), begun} {
		if got, err := fetch(c); !strings.HasSuffix(got, "\r\n\r\nfine") {
			t.Errorf("got %.40q, %v", got, err)
		}
		if c != begun {
			close(spent)
		}
	}
}

// TestAnswersHeadIsBounded: a head of more than 64 KiB from a server is refused, also that of
// an interim answer.
func TestAnswersHeadIsBounded(t *testing.T) {
	for _, status := range []string{"200 OK", "103 Early Hints"} {
		t.Run(status, func(t *testing.T) {
			b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+newPeer(t, func(c *net.TCPConn) {
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
