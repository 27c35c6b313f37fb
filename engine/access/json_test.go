package access

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"sluice/conf"
)

func TestAppendJSON(t *testing.T) {
	utc := request().Accept.UTC().Format(jsonTime)
	for _, test := range []struct {
		name   string
		mode   conf.Mode
		change func(*HTTPRecord)
		want   string
	}{
		{"a connection", conf.TCP, func(r *HTTPRecord) { *r = HTTPRecord{Record: r.Record} },
			`"client":"10.0.1.2","client_port":33317,"frontend":"http-in","backend":"static","server":"srv1","tw":0,"tc":30,"tt":109,` +
				`"bytes":2750,"uploaded":0,"process_conns":1,"frontend_conns":1,"backend_conns":1,"server_conns":1,` +
				`"retries":0,"redispatched":false,"server_queue":0,"backend_queue":0,"term":"--"}`},
		{"a UNIX client that was rejected", conf.TCP, func(r *HTTPRecord) {
			*r = HTTPRecord{Record: r.Record}
			r.Client, r.Backend, r.Server, r.Tw, r.Tc = netip.AddrPort{}, "", "", -1, -1
		},
			`"client":"unix","client_port":null,"frontend":"http-in","backend":null,"server":null,"tw":null,"tc":null,"tt":109,` +
				`"bytes":2750,"uploaded":0,"process_conns":1,"frontend_conns":1,"backend_conns":1,"server_conns":1,` +
				`"retries":0,"redispatched":false,"server_queue":0,"backend_queue":0,"term":"--"}`},
		{"a request", conf.HTTP, func(r *HTTPRecord) {
			r.Ti, r.Uploaded, r.Retries, r.Redispatched = 7, 80, 1, true
			r.Cookie, r.RequestCookie = [2]byte{'V', 'N'}, []byte("SID=1")
		},
			`"client":"10.0.1.2","client_port":33317,"frontend":"http-in","backend":"static","server":"srv1",` +
				`"ti":7,"treq":10,"tw":0,"tc":30,"tr":69,"ta":109,"tt":116,` +
				`"bytes":2750,"uploaded":80,"process_conns":1,"frontend_conns":1,"backend_conns":1,"server_conns":1,` +
				`"retries":1,"redispatched":true,"server_queue":0,"backend_queue":0,"term":"--VN","status":200,` +
				`"method":"GET","uri":"/index.html","version":"HTTP/1.1","request_cookie":"SID=1","response_cookie":null,` +
				`"request_headers":["1wt.eu"],"response_headers":[null]}`},
		{"no request", conf.HTTP, func(r *HTTPRecord) {
			*r = HTTPRecord{Record: r.Record, TR: -1, Tr: -1, Status: -1}
			r.Backend, r.Server, r.Tw, r.Tc, r.Bytes, r.Term = "", "", -1, -1, 0, [2]byte{'C', 'R'}
		},
			`"client":"10.0.1.2","client_port":33317,"frontend":"http-in","backend":null,"server":null,` +
				`"ti":0,"treq":null,"tw":null,"tc":null,"tr":null,"ta":109,"tt":109,` +
				`"bytes":0,"uploaded":0,"process_conns":1,"frontend_conns":1,"backend_conns":1,"server_conns":1,` +
				`"retries":0,"redispatched":false,"server_queue":0,"backend_queue":0,"term":"CR--","status":null,` +
				`"method":null,"uri":null,"version":null,"request_cookie":null,"response_cookie":null,` +
				`"request_headers":[],"response_headers":[]}`},
	} {
		r := request()
		test.change(&r)
		want := `{"time":"` + utc + `",` + test.want
		got := new(Formatter).AppendJSON(nil, test.mode, &r)
		if string(got) != want {
			t.Errorf("%s\ngot  %s\nwant %s", test.name, got, want)
		}
		if !json.Valid(got) {
			t.Errorf("%s: no JSON: %s", test.name, got)
		}
	}
}

// FuzzJSON: for every input the result is one line of printable JSON that contains the input.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{"", "/a?b=\"c\"\\", "\x00\x1f\x7f\r\n\t", "\xff\xc3\x28é\xe2\x82", "\u2028\U0001f600\ufffd"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := request()
		r.RequestHeaders = [][]byte{text}
		line := new(Formatter).AppendJSON(nil, conf.HTTP, &r)
		var told struct {
			RequestHeaders []*string `json:"request_headers"`
		}
		if err := json.Unmarshal(line, &told); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if text == nil {
			return
		}
		if got, want := *told.RequestHeaders[0], string([]rune(string(text))); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if strings.ContainsFunc(string(line), func(c rune) bool { return c < ' ' || c == 0x7f }) {
			t.Errorf("control bytes in %q", line)
		}
	})
}

func TestAppendJSONDoesNotAllocate(t *testing.T) {
	var f Formatter
	r, dst := request(), make([]byte, 0, 2048)
	r.RequestHeaders[0] = []byte("é\xff\x01\"")
	if n := testing.AllocsPerRun(1000, func() { dst = f.AppendJSON(dst[:0], conf.HTTP, &r) }); n != 0 {
		t.Errorf("%v allocations a line, want 0", n)
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	var f Formatter
	r, dst := request(), make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		dst = f.AppendJSON(dst[:0], conf.HTTP, &r)
	}
}
