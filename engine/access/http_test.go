package access

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// request returns the record of the manual's example (configuration.txt 8.2.3).
func request() HTTPRecord {
	return HTTPRecord{
		Record: Record{
			Client: netip.MustParseAddrPort("10.0.1.2:33317"), Accept: time.Date(2009, 2, 6, 12, 14, 14, 655e6, time.Local),
			Frontend: "http-in", Backend: "static", Server: "srv1", Tc: 30, Tt: 109, Bytes: 2750, Term: [2]byte{'-', '-'},
			Act: 1, Fe: 1, Be: 1, Srv: 1,
		},
		TR: 10, Tr: 69, Status: 200, RequestHeaders: [][]byte{[]byte("1wt.eu")}, ResponseHeaders: [][]byte{nil},
		Line: []byte("GET /index.html HTTP/1.1"),
	}
}

func TestAppendHTTP(t *testing.T) {
	const start = "10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in "
	everyByte := make([]byte, 256)
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	for _, test := range []struct {
		name   string
		change func(*HTTPRecord)
		want   string
	}{
		{"the manual's example", func(*HTTPRecord) {},
			`static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"`},
		{"no slots", func(r *HTTPRecord) { r.RequestHeaders, r.ResponseHeaders = nil, nil },
			`static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET /index.html HTTP/1.1"`},
		{"no request", func(r *HTTPRecord) {
			r.Backend, r.Server, r.Line, r.Status, r.Bytes, r.RequestHeaders, r.ResponseHeaders = "", "", nil, 400, 0, nil, nil
			r.TR, r.Tw, r.Tc, r.Tr, r.Tt, r.Term = -1, -1, -1, -1, 0, [2]byte{'P', 'R'}
			r.Be, r.Srv = 0, 0
		}, `http-in/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"`},
		{"cookies", func(r *HTTPRecord) {
			r.Cookie = [2]byte{'N', 'I'}
			r.RequestCookie, r.ResponseCookie = []byte("SID=1 2"), []byte("SID=\x01")
		}, `static/srv1 10/0/30/69/109 200 2750 SID=1 2 SID=#01 --NI 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"`},
		{"no answer, redispatched", func(r *HTTPRecord) { r.Status, r.Retries, r.Redispatched, r.SrvQueue, r.BeQueue = -1, 3, true, 1, 2 },
			`static/srv1 10/0/30/69/109 -1 2750 - - ---- 1/1/1/1/+3 1/2 {1wt.eu} {} "GET /index.html HTTP/1.1"`},
		{"slots escaped", func(r *HTTPRecord) {
			r.RequestHeaders = [][]byte{[]byte("{a|b}\xe9\""), nil, []byte("\t#")}
		}, `static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {#7Ba#7Cb#7D#E9#22||#09#23} {} "GET /index.html HTTP/1.1"`},
		{"line escaped", func(r *HTTPRecord) { r.Line = []byte("GET /{|}\"#\x7f~ HTTP/1.0") },
			`static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /{|}#22#23#7F~ HTTP/1.0"`},
		{"line cut", func(r *HTTPRecord) { r.Line = []byte(strings.Repeat(`"`, MaxLine+1)) },
			`static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "` + strings.Repeat("#22", MaxLine) + `"`},
	} {
		r := request()
		test.change(&r)
		if got := string(new(Formatter).AppendHTTP(nil, &r)); got != start+test.want {
			t.Errorf("%s\ngot  %s\nwant %s%s", test.name, got, start, test.want)
		}
	}
	r := request()
	r.Line = everyByte
	if got := new(Formatter).AppendHTTP(nil, &r); strings.ContainsFunc(string(got), func(c rune) bool { return c < ' ' || c > '~' }) {
		t.Errorf("the line has unprintable bytes: %q", got)
	}
}

func TestAppendHTTPDoesNotAllocate(t *testing.T) {
	var f Formatter
	r, dst := request(), make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(1000, func() { dst = f.AppendHTTP(dst[:0], &r) }); n != 0 {
		t.Errorf("%v allocations a line, want 0", n)
	}
}

func BenchmarkAppendHTTP(b *testing.B) {
	var f Formatter
	r, dst := request(), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = f.AppendHTTP(dst[:0], &r)
	}
}
