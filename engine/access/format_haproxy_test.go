package access

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"sluice/conf"
)

const (
	tcplogFormat  = `%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq`
	httplogFormat = `%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r`
	// restFormat holds the values of a record that those lines do not contain
	restFormat = ` @ %fi:%fp %si:%sp %bi:%bp %rt %U `
)

const captures = `
  capture cookie SID len 20
  capture request header X-C len 20
  capture request header X-D len 20
  capture response header X-A len 20
  capture response header X-N len 20
  http-request deny if { path /deny }
  default_backend b
`

// flagSets are the flags that every variable is tested with.
var flagSets = []string{"", "{+Q}", "{+E}", "{+X}", "{+Q,+E,+X}"}

// everything returns a format with all variables, or only those of mode tcp, and after an @ all
// samples. Three values are left out. The process number differs in each program. Td in mode tcp is
// computed from HAProxy's Tw, which is a millisecond too long there. HAProxy forgets the status when
// the server closes its connection.
func everything(flags string, http bool) string {
	var b strings.Builder
	for _, name := range sorted(variables) {
		if name != "pid" && (http || !strings.Contains(" CC CS HM HP HPO HQ HU HV Ta Td Ti Tq TR Tr hr hrl hs hsl r tr trg trl tsc ", " "+name+" ")) {
			fmt.Fprintf(&b, "%s=%%%s%s ", name, flags, name)
		}
	}
	b.WriteString("@")
	for _, name := range sorted(samples) {
		if name != "status" && (http || !strings.HasPrefix(name, "capture")) {
			fmt.Fprintf(&b, "%%%s[%s] ", flags, name)
		}
	}
	return b.String()
}

func sorted(table map[string]writer) (names []string) {
	for name := range table {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// compiled compiles a format as a configuration contains it.
func compiled(t testing.TB, mode, format string) *Format {
	t.Helper()
	c, problems := conf.ParseString("format.cfg", "frontend f\n bind 127.0.0.1:1\n mode "+mode+"\n log-format \""+format+"\"\n")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return NewFormat(c.Frontends[0].Log.Line)
}

// readRest parses the output of restFormat into the record.
func readRest(t *testing.T, r *Record, rest string) {
	t.Helper()
	var local, target, source string
	if _, err := fmt.Sscan(rest, &local, &target, &source, &r.Serial, &r.Uploaded); err != nil {
		t.Fatalf("%q: %v", rest, err)
	}
	for text, into := range map[string]*netip.AddrPort{local: &r.Local, target: &r.Target, source: &r.Source} {
		if text != "-:-" {
			*into = netip.MustParseAddrPort(text)
		}
	}
	if r.Backend == r.Frontend {
		r.Backend = ""
	}
	if r.Server == "<NOSRV>" {
		r.Server = ""
	}
}

// withoutSamples removes the samples. It is for a request line that was cut: HAProxy's sample still
// knows its version.
func withoutSamples(line string) string {
	before, _, _ := strings.Cut(line[1:], "@")
	return before
}

// same compares a line of HAProxy with ours, word by word.
func same(t *testing.T, name, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	ours, theirs := strings.Split(got, " "), strings.Split(want, " ")
	for i := range min(len(ours), len(theirs)) {
		if ours[i] != theirs[i] {
			t.Errorf("%s: got %q, want %q", name, ours[i], theirs[i])
		}
	}
	if len(ours) != len(theirs) {
		t.Errorf("%s\ngot  %s\nwant %s", name, got, want)
	}
}

// TestFormatsOfHAProxyTCP makes HAProxy log connections in all variables, and formats the same
// values here.
func TestFormatsOfHAProxyTCP(t *testing.T) {
	syslog, to := syslogd(t)
	var cfg strings.Builder
	ports := map[int]string{}
	for i, flags := range flagSets {
		for _, rule := range []string{"reject", "accept"} {
			port := freePort(t)
			ports[port] = everything(flags, false)
			fmt.Fprintf(&cfg, "frontend f%d%s\n  bind 127.0.0.1:%d\n  tcp-request content %s\n  log-format \"%s\"\n  default_backend b\n",
				i, rule, port, rule, tcplogFormat+restFormat+"@"+ports[port])
		}
	}
	haproxy(t, "global\n  nbthread 1\n  log 127.0.0.1:%d len 16384 format raw local0\ndefaults\n  log global\n  timeout connect 1s\n  timeout client 5s\n  timeout server 5s\n%sbackend b\n  server s 127.0.0.1:%d\n",
		to.Address.Port, cfg.String(), answering(t, ""))
	for port, format := range ports {
		visit(t, port)
		parts := strings.SplitN(strings.TrimSuffix(receive(t, syslog), "\n"), "@", 3)
		r := &HTTPRecord{Record: *parse(t, strings.TrimSpace(parts[0]))}
		readRest(t, &r.Record, parts[1])
		same(t, r.Frontend, string(new(Formatter).AppendCustom(nil, compiled(t, "tcp", "@"+format), r)), "@"+parts[2])
	}
}

// TestFormatsOfHAProxyHTTP does the same with requests.
func TestFormatsOfHAProxyHTTP(t *testing.T) {
	syslog, to := syslogd(t)
	var cfg strings.Builder
	ports := map[int]string{}
	last := 0
	for i, flags := range flagSets {
		port := freePort(t)
		last, ports[port] = port, everything(flags, true)
		fmt.Fprintf(&cfg, "frontend f%d\n  bind 127.0.0.1:%d\n  log-format \"%s\"\n%s",
			i, port, httplogFormat+restFormat+"%Ti @"+ports[port], captures)
	}
	haproxy(t, `global
  nbthread 1
  log 127.0.0.1:%d len 16384 format raw local0
defaults
  mode http
  log global
  option dontlognull
  timeout connect 1s
  timeout client 5s
  timeout server 5s
  timeout http-request 1s
%sbackend b
  server s 127.0.0.1:%d
`, to.Address.Port, cfg.String(), answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: v\"1\\]\r\nSet-Cookie: SID=\"a\\]\r\n\r\nhi"))
	visit(t, last)
	for port, format := range ports {
		for _, request := range []string{
			"GET http://h.test/a\"b/c?q=]1 HTTP/1.1\r\nHost: h.test\r\nX-C: v\"\\]{|}\xe9\r\nCookie: SID=ab\"c\\]\r\n",
			"OPTIONS * HTTP/1.0\r\nX-D: d\r\n",
			"GET /deny? HTTP/1.1\r\nHost: a\r\n",
			"GET / HTTP/1.1\r\nX : y\r\n",
			"GET /" + strings.Repeat("a", MaxLine) + " HTTP/1.1\r\nHost: a\r\n",
		} {
			send(t, port, request+"Connection: close\r\n\r\n")
			line := strings.TrimSuffix(receive(t, syslog), "\n")
			parts := strings.SplitN(line, "@", 3)
			r := parseHTTP(t, strings.TrimSpace(parts[0]))
			readRest(t, &r.Record, parts[1])
			words := strings.Fields(parts[1])
			_, _ = fmt.Sscan(words[len(words)-1], &r.Ti)
			got, want := string(new(Formatter).AppendCustom(nil, compiled(t, "http", "@"+format), r)), "@"+parts[2]
			if len(request) > MaxLine {
				got, want = withoutSamples(got), withoutSamples(want)
			}
			same(t, r.Frontend+" "+request[:20], got, want)
		}
	}
}

// answering starts a server that answers the first bytes and closes.
func answering(t *testing.T, answer string) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			if answer != "" {
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = conn.Write([]byte(answer))
			}
			conn.Close()
		}
	}()
	return ln.Addr().(*net.TCPAddr).Port
}
