package httpflow

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/sniff"
)

// scanner is shared by all tests, because no two tests run at the same time.
var scanner = sniff.NewScanner()

// wire drives an exchange as the engine does, but with the bytes of one side only.
type wire struct {
	x     Exchange
	st    sniff.State
	f     sniff.Facts
	h     Head
	held  []byte // bytes of an incomplete head
	heads []string
	body  int64 // bytes passed on after the last head
	end   string
}

// requests reads the stream of a client in the given pieces. It returns the requests that the rules
// see, the number of body bytes of each, and how the stream ends.
func requests(pieces ...[]byte) string {
	var w wire
	w.x.marks = answered
	for _, p := range pieces {
		w.client(p)
	}
	return w.String()
}

func (w *wire) String() string {
	if w.end == "" && len(w.held) > 0 {
		w.end = "more"
	}
	if w.end == "" && !w.x.Request.Done() && !w.x.Tunnel() {
		w.end = "body"
	}
	if w.end != "" {
		return strings.Join(append(w.heads, w.end), ", ")
	}
	return strings.Join(w.heads, ", ")
}

func (w *wire) client(b []byte) {
	for len(b) > 0 && w.end == "" {
		if !w.x.Request.Done() {
			b = w.clientBody(b)
			continue
		}
		w.held = append(w.held, b...)
		n, status := w.x.Ask(scanner, &w.st, w.held, &w.f)
		if status != 0 {
			w.end = fmt.Sprint(status)
		}
		if n == 0 {
			return
		}
		w.heads = append(w.heads, fmt.Sprintf("%s %s", w.f.HTTP.Method, w.f.HTTP.Target))
		b, w.held, w.st = append([]byte(nil), w.held[n:]...), nil, sniff.State{}
		if w.x.has(connect) {
			w.x.Reply([]byte("HTTP/1.1 200 OK\r\n\r\n"), &w.h)
		}
	}
}

// clientBody takes the first byte by Take and moves the others that it may unread.
func (w *wire) clientBody(b []byte) []byte {
	n := w.x.Request.Take(b[:1])
	b = b[n:]
	if k := min(w.x.Request.Free(), int64(len(b))); k > 0 && n > 0 {
		w.x.Request.Moved(k)
		b = b[k:]
	}
	if w.x.Request.Broken() {
		w.end = "broken"
	}
	return b
}

// checkRequests reads a stream in one piece, in two pieces cut at each byte, and in small pieces.
func checkRequests(t *testing.T, stream, want string) {
	t.Helper()
	b := []byte(stream)
	if got := requests(b); got != want {
		t.Errorf("%.300q: %s; want %s", stream, got, want)
		return
	}
	for i := 1; i < len(b); i += max(1, len(b)/100) {
		if got := requests(b[:i], b[i:]); got != want {
			t.Fatalf("%.300q cut at %d: %s; want %s", stream, i, got, want)
		}
	}
	if got := requests(split(b)...); got != want {
		t.Errorf("%.300q in bytes: %s; want %s", stream, got, want)
	}
}

// split cuts into single bytes; it cuts a long input into larger pieces.
func split(b []byte) [][]byte {
	return slices.Collect(slices.Chunk(b, max(1, len(b)/4000)))
}

// asked returns an exchange that has read this request.
func asked(t testing.TB, request string) (*Exchange, *sniff.Head) {
	t.Helper()
	x, h, n := tryAsk([]byte(request))
	if n == 0 {
		t.Fatalf("%q is no request", request)
	}
	return x, h
}

func tryAsk(b []byte) (*Exchange, *sniff.Head, int) {
	var x Exchange
	var st sniff.State
	f := &sniff.Facts{}
	n, _ := x.Ask(scanner, &st, b, f)
	return &x, &f.HTTP, n
}

// replied makes an exchange read this answer.
func replied(t testing.TB, x *Exchange, answer string) *Head {
	t.Helper()
	h := &Head{}
	if n, status := x.Reply([]byte(answer), h); n == 0 {
		t.Fatalf("%q: %d bytes, status %d", answer, n, status)
	}
	return h
}

// answersTo reads the stream of a server in pieces, as the answers to one request. It returns the
// heads, the number of bytes after the last head, and how the stream ends.
func answersTo(t testing.TB, request string, closes bool, pieces ...[]byte) string {
	t.Helper()
	x, _ := asked(t, request)
	w := wire{x: *x}
	for _, p := range pieces {
		w.server(p)
	}
	switch {
	case w.end != "":
	case !w.x.Answered():
		w.end = "more"
	case w.x.Tunnel():
		w.end = fmt.Sprintf("tunnel %d", w.body)
	case w.x.Response.Done(), closes && w.x.Response.Ended():
		w.end = fmt.Sprintf("done %d", w.body)
	default:
		w.end = fmt.Sprintf("body %d", w.body)
	}
	if len(w.held) > 0 && w.x.Answered() {
		w.end += fmt.Sprintf(" left %d", len(w.held))
	}
	return strings.Join(append(w.heads, w.end), ", ")
}

func (w *wire) server(b []byte) {
	for len(b) > 0 && w.end == "" {
		if w.x.Answered() {
			n := w.x.Response.Take(b)
			w.body += int64(n)
			w.held = append(w.held, b[n:]...)
			if w.x.Response.Broken() {
				w.end, w.held = "broken", nil
			}
			return
		}
		w.held = append(w.held, b...)
		n, status := w.x.Reply(w.held, &w.h)
		if status != 0 {
			w.end, w.held = fmt.Sprint(status), nil
		}
		if n == 0 {
			return
		}
		w.heads = append(w.heads, fmt.Sprint(w.h.Status))
		b, w.held = append([]byte(nil), w.held[n:]...), nil
	}
}

func checkAnswers(t *testing.T, request, stream string, closes bool, want string) {
	t.Helper()
	b := []byte(stream)
	if got := answersTo(t, request, closes, b); got != want {
		t.Errorf("%.300q: %s; want %s", stream, got, want)
		return
	}
	for i := 1; i < len(b); i += max(1, len(b)/100) {
		if got := answersTo(t, request, closes, b[:i], b[i:]); got != want {
			t.Fatalf("%.300q cut at %d: %s; want %s", stream, i, got, want)
		}
	}
	if got := answersTo(t, request, closes, split(b)...); got != want {
		t.Errorf("%.300q in bytes: %s; want %s", stream, got, want)
	}
}
