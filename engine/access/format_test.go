package access

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

func TestFormats(t *testing.T) {
	bad := func(r *HTTPRecord) {
		r.Line, r.RequestHeaders, r.ResponseHeaders, r.Backend, r.Server = nil, nil, nil, "", ""
		r.TR, r.Tw, r.Tc, r.Tr, r.Status = -1, -1, -1, -1, 400
	}
	same := func(*HTTPRecord) {}
	for _, test := range []struct {
		format string
		change func(*HTTPRecord)
		want   string
	}{
		{"  a %hr %hs  b ", same, "a {1wt.eu} {} b "},
		{"  a %hr %hs  b ", bad, "a b "},
		{"%hr %hrl a", bad, "a"},
		{"%{+Q}hr %{+Q}hrl", bad, ""},
		{"a %HQ b", same, "a  b"},
		{"%hrl|%hsl|%{+Q}hsl", same, `1wt.eu|-|""`},
		{"%CC %{+Q}CS", same, `- ""`},
		{"%{+Q,+E}CC", func(r *HTTPRecord) { r.RequestCookie = []byte("a\"\\]\x01") }, `"a\"\\\]#01"`},
		{"%Ti %TR %Tq %Tw %Tc %Tr %Td %Ta %Tu %Tt", func(r *HTTPRecord) { r.Ti, r.Tt = 5, 112 }, "5 10 15 0 30 69 3 112 112 117"},
		{"%Ti %TR %Tq %Tw %Tc %Tr %Td %Ta %Tu %Tt", bad, "0 -1 -1 -1 -1 -1 -1 109 109 109"},
		{"%t %tr %ms", func(r *HTTPRecord) { r.Ti = 655 }, "06/Feb/2009:12:14:14.000 06/Feb/2009:12:14:14.655 000"},
		{"%{+X}ms", same, "28F"},
		{"%rt %{+X}rt", func(r *HTTPRecord) { r.Serial = 0x12345 }, "74565 12345"},
		{"%pid", same, fmt.Sprint(os.Getpid())},
		{"%H", same, hostname},
		{"%rc", func(r *HTTPRecord) { r.Retries, r.Redispatched = 2, true }, "+2"},
		{"%HM %HU %HP %HPO %HQ %HV", func(r *HTTPRecord) { r.Line = []byte("GET http://h?a=/ HTTP/1.1") },
			"GET http://h?a=/ http://h  ?a=/ HTTP/1.1"},
		{"%HM %HPO%HV", func(r *HTTPRecord) { r.Line = []byte("CONNECT h:443 HTTP/1.1") }, "CONNECT HTTP/1.1"},
		{"%HV|%[capture.req.uri]", func(r *HTTPRecord) { r.Line = []byte("GET " + strings.Repeat("/", 2000) + " HTTP/1.1") },
			"HTTP/0.9|" + strings.Repeat("/", MaxLine-4)},
		{"%ci %cp %fi %fp %{+X}cp %[src] %[src_port] %[dst]", func(r *HTTPRecord) { r.Client, r.Listener = netip.AddrPort{}, 2 },
			"unix 2 unix 2 2 - - -"},
		{"%{+X}ci %ci", func(r *HTTPRecord) { r.Client = netip.MustParseAddrPort("[fe80::1%eth0]:80") }, "FE800000000000000000000000000001 fe80::1"},
		{"%si %sp %bi %bp", same, "unix 0 unix 0"},
		{"%si %sp %bi %bp", bad, "- - - -"},
		{"%[status] %{+Q}[status]", same, `200 "200"`},
		{"%[status] %[be_name] %[srv_name]", bad, "- - -"},
		{"%b %s", bad, "http-in <NOSRV>"},
	} {
		r := request()
		test.change(&r)
		if got := string(new(Formatter).AppendCustom(nil, compiled(t, "http", test.format), &r)); got != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.format, got, test.want)
		}
	}
}

func TestFormatOfAConnection(t *testing.T) {
	r := HTTPRecord{Record: sample()}
	r.Tw, r.Tc = 2, 3
	if got, want := string(new(Formatter).AppendCustom(nil, compiled(t, "tcp", "%Tw %Tc %Td %Tt %ST"), &r)), "2 3 5002 5007 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFormatAsksForWhatItTells(t *testing.T) {
	for format, want := range map[string][2]bool{"%ci": {}, "%fp": {true, false}, "%[dst]": {true, false}, "%bi %rt": {true, true}} {
		f := compiled(t, "tcp", format)
		if got := [2]bool{f.AsksAddresses(), f.AsksSerial()}; got != want {
			t.Errorf("%s: got %v, want %v", format, got, want)
		}
	}
	if f := NewFormat(nil); f.AsksAddresses() || f.AsksSerial() {
		t.Error("no format asks for something")
	}
}

// TestEveryVariableIsWritten: every variable and sample that conf accepts is in the tables of this
// package.
func TestEveryVariableIsWritten(t *testing.T) {
	for _, part := range compiled(t, "http", strings.Replace(everything("", true), "@", "%pid %[status] ", 1)).parts {
		if part.literal == "" && part.write == nil {
			t.Error("a variable has no writer")
		}
	}
}

func TestOverall(t *testing.T) {
	r := request()
	r.Ti = 655
	overall := r.Overall()
	if got, want := string(new(Formatter).AppendTCP(nil, &overall)),
		"10.0.1.2:33317 [06/Feb/2009:12:14:14.000] http-in static/srv1 0/30/764 2750 -- 1/1/1/1/0 0/0"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAppendCustomDoesNotAllocate(t *testing.T) {
	var f Formatter
	r, dst := request(), make([]byte, 0, 8192)
	for _, flags := range flagSets {
		format := compiled(t, "http", everything(flags, true)+"%pid %[status]")
		n := testing.AllocsPerRun(1000, func() {
			r.Accept = r.Accept.Add(700 * time.Millisecond)
			dst = f.AppendCustom(dst[:0], format, &r)
		})
		if n != 0 {
			t.Errorf("flags %q: %v allocations a line, want 0", flags, n)
		}
	}
}

func BenchmarkAppendCustom(b *testing.B) {
	var f Formatter
	format := compiled(b, "http", httplogFormat)
	r, dst := request(), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = f.AppendCustom(dst[:0], format, &r)
	}
}
