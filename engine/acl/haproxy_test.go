package acl

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite testdata/haproxy with the results of the installed HAProxy")

// grid tries every probe on every request. The file testdata/haproxy/NAME.txt holds the results of
// HAProxy 2.6, one line for each pair.
type grid struct {
	name     string
	requests []string // the header lines of a request, each with CR LF
	probes   []string // a fetch with converters, or a condition in braces
}

// check compares the results of this package with those of the file. If HAProxy is installed, it
// also compares the results of HAProxy with the file.
func (g *grid) check(t *testing.T) {
	t.Helper()
	file := filepath.Join("testdata", "haproxy", g.name+".txt")
	theirs, live := g.haproxy(t)
	if *update && live {
		if err := os.WriteFile(file, []byte(theirs), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	compareLines(t, "Sluice", g.results(g.ours(t)), string(want))
	if !live {
		t.Skip("no HAProxy 2.6 here; the file alone was compared")
	}
	compareLines(t, "HAProxy", theirs, string(want))
}

// compareLines reports the lines in which the results of who differ from the file.
func compareLines(t *testing.T, who, got, want string) {
	t.Helper()
	lines, wanted := strings.Split(got, "\n"), strings.Split(want, "\n")
	if len(lines) != len(wanted) {
		t.Fatalf("%s: %d results, the file has %d; run the test with -update", who, len(lines), len(wanted))
	}
	for i, line := range lines {
		if line != wanted[i] {
			t.Errorf("%s: %s; the file: %s", who, line, wanted[i])
		}
	}
}

// rules returns rules that write the result of probe number i into the field p-i. For a fetch this
// is what a format writes, and whether an ACL finds it.
func (g *grid) rules() string {
	var b strings.Builder
	for i, p := range g.probes {
		if strings.HasPrefix(p, "{") {
			fmt.Fprintf(&b, " http-request set-header p-%d no\n http-request set-header p-%d yes if %s\n", i, i, p)
			continue
		}
		fmt.Fprintf(&b, " http-request set-header p-%d \"'%%[%s]' not found\"\n", i, p)
		fmt.Fprintf(&b, " http-request set-header p-%d \"'%%[%s]'\" if { %s -m found }\n", i, p, p)
	}
	return b.String()
}

// results writes a line for each request and probe. get returns the value of the field p-probe.
func (g *grid) results(get func(request, probe int) string) string {
	var b strings.Builder
	for r, head := range g.requests {
		for p, probe := range g.probes {
			fmt.Fprintf(&b, "%-34q %-34s %s\n", head, probe, get(r, p))
		}
	}
	return b.String()
}

func (g *grid) ours(t *testing.T) func(request, probe int) string {
	t.Helper()
	rules := http(t, g.rules()).Request
	return func(request, probe int) string {
		f := final(sniffed([]byte("GET / HTTP/1.1\r\n" + g.requests[request] + "\r\n")))
		got := ""
		for i := rules.Next(f, 0); i >= 0; i = rules.Next(f, i+1) {
			if r := rules.At(i); r.Name == fmt.Sprintf("p-%d", probe) {
				got = string(r.Value.Append(nil, f))
			}
		}
		return got
	}
}

// haproxy returns the results of HAProxy. live is false if HAProxy 2.6 is not installed.
func (g *grid) haproxy(t *testing.T) (results string, live bool) {
	t.Helper()
	version, err := exec.Command("haproxy", "-v").Output()
	if err != nil || !strings.HasPrefix(string(version), "HAProxy version 2.6.") {
		return "", false
	}
	server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		for i := range g.probes {
			fmt.Fprintln(w, r.Header.Get(fmt.Sprintf("p-%d", i)))
		}
	}))
	t.Cleanup(server.Close)
	addr := startHAProxy(t, g.rules(), server.Listener.Addr())
	var all [][]string
	for _, head := range g.requests {
		all = append(all, ask(t, addr, head))
	}
	return g.results(func(request, probe int) string { return all[request][probe] }), true
}

// startHAProxy runs HAProxy with these rules. It returns the address that HAProxy listens at.
func startHAProxy(t *testing.T, rules string, server net.Addr) net.Addr {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	socket, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	text := "global\n tune.http.maxhdr 1000\ndefaults\n mode http\n timeout client 9s\n timeout connect 9s\n timeout server 9s\n" +
		"listen l\n bind fd@3\n" + rules + " server s " + server.String() + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "haproxy", "-db", "-f", file)
	cmd.ExtraFiles, cmd.Stderr = []*os.File{socket}, t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return ln.Addr()
}

// ask sends a request with these header lines and returns the lines of the answer's body.
func ask(t *testing.T, addr net.Addr, head string) []string {
	t.Helper()
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n"+head+"\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := nethttp.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != nethttp.StatusOK {
		t.Fatalf("%s: %s %v", answer.Status, body, err)
	}
	return strings.Split(string(body), "\n")
}

// TestAddressesAsHAProxy: which patterns an address matches that can be written in both families.
func TestAddressesAsHAProxy(t *testing.T) {
	g := grid{name: "addresses"}
	for _, a := range []string{
		"10.0.0.1", "0.0.0.0", "255.255.255.255", "::ffff:10.0.0.1", "::ffff:a00:1", "10.0.0.1:80",
		"::10.0.0.1", "::", "::1", "::fffe:10.0.0.1", "::ffff:0:10.0.0.1", "::1:10.0.0.1", "0:0:0:1::10.0.0.1", "0:1::10.0.0.1",
		"2002:a00:1::", "2002:a00:1::1", "2002:a00:1:ffff:1:2:3:4", "2003:a00:1::1", "2002::10.0.0.1",
		"64:ff9b::10.0.0.1", "2001:db8::1", "fe80::10.0.0.1", "x",
	} {
		g.requests = append(g.requests, "X: "+a+"\r\n")
	}
	for _, p := range []string{
		"10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "0.0.0.0/8", "128.0.0.0/1",
		"::/0", "::/64", "::/80", "::/90", "::/96", "::/104", "::10.0.0.1", "::1",
		"::ffff:10.0.0.1", "::ffff:0:0/96", "::ffff:10.0.0.0/104", "::ffff:0:0/90", "::ffff:0:0/97", "::fffe:0:0/95",
		"2002::/16", "2002:a00:1::/48", "2002:a00:1::1", "2001:db8::/32", "2000::/3", "64:ff9b::/96",
		"192.0.2.1 ::/0", "10.0.0.0/8 2001:db8::/32", "::/0 10.0.0.0/8 192.0.2.0/24",
	} {
		g.probes = append(g.probes, "{ hdr_ip(x) "+p+" }")
	}
	g.check(t)
}

// TestPartsAsHAProxy: the parts that the converters field and word return. X holds one value.
func TestPartsAsHAProxy(t *testing.T) {
	g := grid{name: "parts"}
	for _, v := range []string{"", "/", "//", "a", "a/", "/a", "a/b", "a//b", "/a/b//", "//a//b//", "a/b.c/d", "a/b/c/d/"} {
		g.requests = append(g.requests, "X: "+v+"\r\n")
	}
	for _, name := range []string{"field", "word"} {
		for _, index := range []string{"1", "2", "3", "-1", "-2", "-3"} {
			for _, count := range []string{"", ",0", ",1", ",2", ",9"} {
				g.probes = append(g.probes, fmt.Sprintf("req.hdr(x),%s(%s,/.%s)", name, index, count))
			}
		}
	}
	g.check(t)
}

// lists are requests with lists of values. The converter field(2,/) refuses some of the values.
var lists = []string{
	"X: v/one\r\nX: two\r\n", "X: two\r\nX: v/one\r\n", "X: two, v/one\r\n", "X: a, b, c/one, d\r\n", "X: v/one\r\nX:\r\n",
	"Cookie: a=two; a=v/one\r\n", "Cookie: a=v/one; a=two\r\n", "X: x, 10.0.0.1\r\n", "X: 10.0.0.1, x\r\n", "Y: 1\r\n",
}

// TestListsAsHAProxy: whether an ACL finds a value of a list if a converter refuses another one.
func TestListsAsHAProxy(t *testing.T) {
	g := grid{name: "lists", requests: lists}
	for _, fetch := range []string{"req.hdr(x)", "req.hdr(x,1)", "req.fhdr(x)", "req.cook(a)"} {
		for _, test := range []string{
			"field(2,/) one", "field(2,/) -m found", "field(2,/),length 3", "field(2,/),lower one", "word(2,/) one", "word(2,/) -m found", "word(2,/),length 3",
		} {
			g.probes = append(g.probes, "{ "+fetch+","+test+" }")
		}
	}
	g.probes = append(g.probes, "{ hdr_ip(x) 10.0.0.0/8 }", "{ req.hdr(x) -m int 10 }", "{ req.hdr(x),word(2,/) -m len 0 }")
	g.check(t)
}

// TestValuesAsHAProxy: which value of a list a format writes if a converter refuses some of them.
func TestValuesAsHAProxy(t *testing.T) {
	g := grid{name: "values", requests: append([]string{"X: v/one, \r\n", "Cookie: b=two; a=v/one\r\n"}, lists...)}
	for _, fetch := range []string{"req.hdr(x)", "req.hdr(x,1)", "req.hdr(x,-1)", "req.fhdr(x)", "req.cook(a)", "req.cook()"} {
		for _, c := range []string{"", ",field(2,/)", ",word(2,/)", ",field(-2,/,3)", ",field(2,/),length", ",lower,field(2,/),upper"} {
			g.probes = append(g.probes, fetch+c)
		}
	}
	g.check(t)
}
