package access

import (
	"net/netip"
	"testing"
	"time"

	"sluice/conf"
)

// sample returns a record in which every field has a value.
func sample() Record {
	return Record{
		Client:   netip.MustParseAddrPort("10.0.1.2:33313"),
		Accept:   time.Date(2009, 2, 6, 12, 12, 51, 443_999_999, time.Local),
		Frontend: "fnt", Backend: "bck", Server: "srv1",
		Tt: 5007, Bytes: 212, Term: [2]byte{'-', '-'}, Retries: 3,
	}
}

func TestAppendTCP(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Record)
		want   string
	}{
		{"the manual's example", func(*Record) {},
			"10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0"},
		{"rejected by a rule", func(r *Record) {
			r.Backend, r.Server, r.Tw, r.Tc, r.Tt, r.Bytes, r.Retries = "", "", -1, -1, 0, 0, 0
			r.Term, r.Act, r.Fe = [2]byte{'P', 'R'}, 2, 1
		}, "10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt fnt/<NOSRV> -1/-1/0 0 PR 2/1/0/0/0 0/0"},
		{"no server", func(r *Record) { r.Server = "" },
			"10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/<NOSRV> 0/0/5007 212 -- 0/0/0/0/3 0/0"},
		{"redispatched", func(r *Record) { r.Retries, r.Redispatched = 1, true },
			"10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/+1 0/0"},
		{"counts and queues", func(r *Record) {
			r.Act, r.Fe, r.Be, r.Srv, r.SrvQueue, r.BeQueue = 1, 2, 3, 4, 5, 6
		}, "10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 1/2/3/4/3 5/6"},
		{"IPv6", func(r *Record) { r.Client = netip.MustParseAddrPort("[fe80::1%eth0]:80") },
			"fe80::1:80 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0"},
		{"IPv4 on an IPv6 socket", func(r *Record) { r.Client = netip.MustParseAddrPort("[::ffff:10.0.1.2]:80") },
			"::ffff:10.0.1.2:80 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0"},
		{"UNIX", func(r *Record) { r.Client, r.Listener = netip.AddrPort{}, 2 },
			"unix:2 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0"},
		{"milliseconds keep their zeros", func(r *Record) { r.Accept = time.Date(2026, 11, 22, 0, 0, 0, 7e6, time.Local) },
			"10.0.1.2:33313 [22/Nov/2026:00:00:00.007] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0"},
	}
	var f Formatter // shared, so that its cached second is tested too
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := sample()
			test.change(&r)
			if got := string(f.AppendTCP(nil, &r)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestFormatterOfTheEpoch(t *testing.T) {
	r := sample()
	r.Accept = time.Unix(0, 0)
	var f Formatter // its zero second must not be taken for a cached one
	want := "[" + r.Accept.Format("02/Jan/2006:15:04:05.000") + "]"
	if got := string(f.AppendTCP(nil, &r))[len("10.0.1.2:33313 "):][:len(want)]; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAppendConnect(t *testing.T) {
	tests := []struct {
		connect Connect
		want    string
	}{
		{Connect{Client: netip.MustParseAddrPort("10.0.1.2:33312"), Local: netip.MustParseAddrPort("10.0.3.31:8012"),
			Frontend: "www", Mode: conf.HTTP}, "Connect from 10.0.1.2:33312 to 10.0.3.31:8012 (www/HTTP)"},
		{Connect{Client: netip.MustParseAddrPort("[::1]:57750"), Local: netip.MustParseAddrPort("[::1]:46719"),
			Frontend: "plain"}, "Connect from ::1:57750 to ::1:46719 (plain/TCP)"},
		{Connect{Listener: 2, Frontend: "plain"}, "Connect to unix:2 (plain/TCP)"},
	}
	for _, test := range tests {
		if got := string(AppendConnect(nil, &test.connect)); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	var f Formatter
	r, dst := sample(), make([]byte, 0, 1024)
	c := Connect{Client: r.Client, Local: r.Client, Frontend: "www"}
	n := testing.AllocsPerRun(1000, func() {
		r.Accept = r.Accept.Add(700 * time.Millisecond) // tests both cached and new seconds
		dst = f.AppendTCP(dst[:0], &r)
		dst = AppendConnect(dst[:0], &c)
	})
	if n != 0 {
		t.Errorf("%v allocations a line, want 0", n)
	}
}

func BenchmarkAppendTCP(b *testing.B) {
	var f Formatter
	r, dst := sample(), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = f.AppendTCP(dst[:0], &r)
	}
}
