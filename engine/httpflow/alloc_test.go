package httpflow

import (
	"net/netip"
	"testing"
	"unsafe"

	"sluice/conf"
	"sluice/sniff"
)

const browser = "GET /index.html?lang=de HTTP/1.1\r\nHost: www.example.org\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: de,en;q=0.5\r\n" +
	"Accept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\nCookie: lang=de; SERVERID=s1; theme=dark\r\n\r\n"

const page = "HTTP/1.1 200 OK\r\nServer: example\r\nDate: Mon, 06 Jul 2026 07:08:09 GMT\r\nContent-Type: text/html\r\n" +
	"Content-Length: 5\r\nETag: \"abc\"\r\nConnection: keep-alive\r\n\r\nhello"

// round holds what a loop needs for one request, and reuses it.
type round struct {
	x      Exchange
	sc     *sniff.Scanner
	f      sniff.Facts
	h      Head
	w      Rewrite
	out    []byte
	cookie *Cookie
	client netip.Addr
	xff    conf.ForwardFor
	id     []byte
	lookup Lookup
	agent  conf.Capture
}

func newRound() *round {
	return &round{
		sc: sniff.NewScanner(), out: make([]byte, 0, 4096), client: netip.MustParseAddr("192.0.2.1"), id: []byte("s1"), lookup: servers,
		agent:  conf.Capture{Name: "User-Agent", Len: 64},
		cookie: NewCookie(&conf.Cookie{Name: "SERVERID", Insert: true, Indirect: true, NoCache: true, MaxIdle: 3600e9}),
	}
}

func (r *round) request(b []byte) bool {
	var st sniff.State
	if n, _ := r.x.Ask(r.sc, &st, b, &r.f); n == 0 {
		return false
	}
	r.w.Request(&r.f.HTTP)
	r.w.Forward(r.client, &r.xff, nil)
	r.x.ToServer(&r.w)
	r.out = r.w.Append(r.out[:0])
	return true
}

func (r *round) full(request, answer []byte) bool {
	var st sniff.State
	if n, _ := r.x.Ask(r.sc, &st, request, &r.f); n == 0 {
		return false
	}
	CaptureHeader(&r.f.HTTP, &r.agent)
	CaptureCookie(&r.f.HTTP, &r.agent)
	claim := r.cookie.Pick(&r.f.HTTP, now, r.lookup)
	r.w.Request(&r.f.HTTP)
	r.cookie.Hide(&r.w)
	r.w.SetHeader("X-Forwarded-Proto", r.id)
	r.w.Forward(r.client, &r.xff, nil)
	r.x.CloseServer()
	r.x.ToServer(&r.w)
	r.out = r.w.Append(r.out[:0])
	n, _ := r.x.Reply(answer, &r.h)
	if n == 0 {
		return false
	}
	r.w.Response(&r.h)
	r.cookie.Give(&r.w, &r.x, &r.h, claim, "s1", now)
	r.x.ToClient(&r.w, &r.h)
	r.out = r.w.Append(r.out[:0])
	r.x.Response.Take(answer[n:])
	return r.x.Done() && r.x.KeepClient() && !r.x.KeepServer()
}

func TestNoAllocation(t *testing.T) {
	r := newRound()
	request, answer := []byte(browser), []byte(page)
	bad := []byte("GET / HTTP/1.1\r\nX : y\r\n\r\n")
	to, rule := []byte("https"), conf.Redirect{Kind: conf.Scheme, Code: 301}
	for name, f := range map[string]func(){
		"transaction": func() {
			if !r.full(request, answer) {
				t.Error("the transaction failed")
			}
		},
		"refusal": func() {
			var st sniff.State
			_, status := r.x.Ask(r.sc, &st, bad, &r.f)
			r.out = r.x.AppendAnswer(r.out[:0], Page(status))
		},
		"redirect": func() {
			r.request(request)
			r.out = r.x.AppendRedirect(r.out[:0], &rule, to, &r.f.HTTP)
		},
		"chunks": func() {
			m := chunked()
			m.Take([]byte("5;x\r\nhello\r\n0\r\nX: y\r\n\r\n"))
		},
	} {
		if n := testing.AllocsPerRun(200, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

// TestSize limits the memory of an exchange and a claim, because every session has one of each.
func TestSize(t *testing.T) {
	if n := unsafe.Sizeof(Exchange{}) + unsafe.Sizeof(Claim{}); n > 96 {
		t.Errorf("an exchange and a claim take %d bytes, want at most 96", n)
	}
}

func BenchmarkRequest(b *testing.B) {
	r, request := newRound(), []byte(browser)
	b.SetBytes(int64(len(request)))
	b.ReportAllocs()
	for b.Loop() {
		r.request(request)
	}
}

func BenchmarkTransaction(b *testing.B) {
	r, request, answer := newRound(), []byte(browser), []byte(page)
	b.SetBytes(int64(len(request) + len(answer)))
	b.ReportAllocs()
	for b.Loop() {
		r.full(request, answer)
	}
}

func BenchmarkReply(b *testing.B) {
	r, request, answer := newRound(), []byte(browser), []byte(page)
	r.request(request)
	b.SetBytes(int64(len(answer)))
	for b.Loop() {
		x := r.x
		x.Reply(answer, &r.h)
		r.w.Response(&r.h)
		x.ToClient(&r.w, &r.h)
		r.out = r.w.Append(r.out[:0])
	}
}

func BenchmarkChunks(b *testing.B) {
	var body []byte
	for range 100 {
		body = append(body, "20\r\n0123456789abcdef0123456789abcdef\r\n"...)
	}
	body = append(body, "0\r\n\r\n"...)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		m := chunked()
		m.Take(body)
	}
}
