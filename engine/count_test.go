//go:build !simulation

package engine

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/conf"
	"sluice/engine/admin"
)

// countCase is a conversation that has a frontend, a backend and servers for itself.
type countCase struct {
	name   string
	client abortCase
	rules  string // of the backend
}

func countCases() []countCase {
	whole, cookie := head("a"), "GET / HTTP/1.1\r\nHost: a\r\nCookie: C=x\r\n\r\n"
	web := func(front string, steps ...string) abortCase { return abortCase{"http", front, "web", steps, nil} }
	to := func(back string, steps ...string) abortCase { return abortCase{"http", "", back, steps, nil} }
	tcp := func(front, back string, steps ...string) abortCase { return abortCase{"tcp", front, back, steps, nil} }
	return []countCase{
		{"one", web("", whole, "answer", "fin"), ""},
		{"two", web("", whole, "answer", whole, "answer", "fin"), ""},
		{"cookie", web("", cookie, "answer", cookie, "answer", "fin"), "  cookie C insert\n"},
		{"404", to("missing", whole, "answer", "fin"), ""},
		{"slow", to("slow", whole, "answer", "fin"), ""},
		{"nothing", web("", "fin"), ""},
		{"half", web("", halfHead, "fin"), ""},
		{"late", web(""), ""},
		{"garbage", web("", "no request\r\n\r\n"), ""},
		{"gone server", to("gone", whole), ""},
		{"bad answer", to("garbled", whole), ""},
		{"cut answer", to("cut", whole), ""},
		{"silent server", to("silent", whole), ""},
		{"client leaves", to("deaf", halfBody, "reached", "fin"), ""},
		{"dead server", to("dead", whole), ""},
		{"no server", to("none", whole), ""},
		{"redispatch", to("two", whole, "answer", "fin"), "  option redispatch\n"},
		{"redispatch 0", to("two", whole, "answer", "fin"), "  option redispatch 0\n"},
		{"denied", web("  http-request deny\n", whole), ""},
		{"rejected", web(rejectingWeb, whole), ""},
		{"rejected before other rules", web(rejectingWeb+"  monitor-uri /\n  http-request return status 200\n", whole), ""},
		{"second request rejected", web("  tcp-request content reject if { path /2 }\n", whole, "answer", strings.Replace(whole, " / ", " /2 ", 1)), ""},
		{"denied by the backend", web("", whole), "  http-request deny\n"},
		{"answer denied", web("  http-response deny\n", whole), ""},
		{"answer denied by the backend", web("", whole), "  http-response deny\n"},
		{"return", web("  http-request return status 200\n", whole, "answer", "fin"), ""},
		{"return of the backend", web("", whole, "answer", "fin"), "  http-request return status 200\n"},
		{"redirect", web("  http-request redirect location /x\n", whole, "answer", "fin"), ""},
		{"redirect of the backend", web("", whole, "answer", "fin"), "  http-request redirect location /x\n"},
		{"monitor", web("  monitor-uri /\n", whole, "answer", "fin"), ""},
		{"monitor with an errorfile", web("  monitor-uri /\n  errorfile 200 testdata/web/mine.http\n", whole), ""},
		{"monitor that fails, with an errorfile", web("  monitor-uri /\n  monitor fail if TRUE\n  errorfile 503 testdata/web/mine.http\n", whole), ""},
		{"connection denied", web("  tcp-request connection reject\n"), ""},
		{"tcp", tcp("", "echo", "hello", "answer", "fin"), ""},
		{"tcp without a byte", tcp("", "echo", "fin"), ""},
		{"tcp reset", tcp("", "echo", "hello", "answer", "rst"), ""},
		{"tcp, server resets", tcp("", "resetting", "hello"), ""},
		{"tcp, dead server", tcp("", "dead", "hello"), ""},
		{"tcp, no server", tcp("", "none"), ""},
		{"tcp denied", tcp(rejecting, "echo", "hello"), ""},
		{"tcp, reset while inspecting", tcp(rejecting, "echo", "he", "rst"), ""},
		{"tcp, reset while inspecting, no byte", tcp(rejecting, "echo", "rst"), ""},
		{"tcp, reset while inspecting, no backend", tcp(rejecting, "no backend", "he", "rst"), ""},
		{"tcp, reset while inspecting, denied", tcp(rejectingPart, "echo", "he", "rst"), ""},
		{"tcp, timeout while inspecting", tcp("  timeout client 300ms\n"+rejecting, "echo", "he"), ""},
		{"tcp, timeout while inspecting, no byte", tcp("  timeout client 300ms\n"+rejecting, "echo"), ""},
		{"tcp, connection denied", tcp("  tcp-request connection reject\n", "echo"), ""},
	}
}

// counted are the columns that are compared. Those of counted400 are in milliseconds; a value
// from 400 on is replaced by n.
var (
	counted    = strings.Fields("stot bin bout dreq dresp ereq econ eresp wretr wredis lbtot hrsp_1xx hrsp_2xx hrsp_3xx hrsp_4xx hrsp_5xx hrsp_other req_tot cli_abrt srv_abrt conn_tot intercepted dcon dses connect reuse")
	counted400 = strings.Fields("qtime ctime rtime ttime")
)

// countRows reads `show stat` and returns a line for each row. The line contains the columns
// that are not 0. Byte counts differ between the programs and are replaced by n.
func countRows(t *testing.T, cases []countCase, path string) (rows []string) {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "show stat\n")
	text, err := fetch(conn)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	columns := strings.Split(strings.TrimPrefix(lines[0], "# "), ",")
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, v := range strings.Split(line, ",") {
			row[columns[i]] = v
		}
		i, err := strconv.Atoi(strings.TrimLeft(row["pxname"], "abort"))
		if err != nil {
			t.Fatal(line)
		}
		words := []string{cases[i].name + ":", row["svname"]}
		for _, c := range counted {
			switch v := row[c]; {
			case v == "" || v == "0":
			case c == "bin" || c == "bout":
				words = append(words, c, "n")
			default:
				words = append(words, c, v)
			}
		}
		for _, c := range counted400 {
			if ms, _ := strconv.Atoi(row[c]); ms >= 400 {
				words = append(words, c, "n")
			}
		}
		rows = append(rows, strings.Join(words, " "))
	}
	slices.Sort(rows)
	return rows
}

// countServers returns servers by name. Each name describes the behaviour of its server.
func countServers(t *testing.T, reached []chan struct{}) map[string]func(int) string {
	t.Helper()
	same := func(at string) func(int) string { return func(int) string { return at } }
	answer := func(text string, last bool) func(int) string {
		return same(newPeer(t, func(c *net.TCPConn) {
			for strings.HasSuffix(readHead(c), "\r\n\r\n") {
				_, _ = io.WriteString(c, text)
				if last {
					return
				}
			}
		}).String())
	}
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
	web := answer(ok, false)
	return map[string]func(int) string{
		"web": func(i int) string { return web(i) + " cookie x" }, "missing": answer("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", false),
		"gone": answer("", true), "garbled": answer("garbage\r\n\r\n", false), "cut": answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", true),
		"slow": same(newPeer(t, func(c *net.TCPConn) {
			readHead(c)
			<-time.After(600 * time.Millisecond)
			_, _ = io.WriteString(c, ok)
			silent(c)
		}).String()),
		"silent": same(newPeer(t, silent).String()), "echo": same(newPeer(t, echo).String()), "dead": same("127.0.0.1:1"),
		"resetting": same(newPeer(t, func(c *net.TCPConn) {
			_, _ = c.Read(make([]byte, 100))
			reset(c)
		}).String()),
		"two": func(i int) string { return "127.0.0.1:1\n  server s2 " + web(i) },
		"deaf": func(i int) string {
			return newPeer(t, func(c *net.TCPConn) {
				readHead(c)
				for some := make([]byte, 100); ; {
					if n, _ := c.Read(some); n == 0 {
						return
					}
					reached[i] <- struct{}{}
				}
			}).String()
		},
	}
}

// TestCountsAreHAProxys produces every event that is counted. It compares `show stat` with the
// output of HAProxy 2.6.12 in testdata/counts.txt, and with HAProxy itself if it is installed.
func TestCountsAreHAProxys(t *testing.T) {
	cases := countCases()
	var clients []abortCase
	reached := make([]chan struct{}, len(cases))
	for i, c := range cases {
		clients = append(clients, c.client)
		reached[i] = make(chan struct{}, 10)
	}
	text := abortConfig(clients, countServers(t, reached))
	text = strings.Replace(text, "timeout server 10s", "timeout server 1500ms", 1)
	for i, c := range cases {
		text = strings.Replace(text, fmt.Sprintf("\nbackend b%d\n", i), fmt.Sprintf("\nbackend b%d\n%s", i, c.rules), 1)
	}
	golden, err := os.ReadFile("testdata/counts.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(golden)), "\n")
	compare := func(who, path string, to []net.Addr) {
		t.Helper()
		var playing sync.WaitGroup
		for i, c := range clients {
			playing.Go(func() { c.play(t, to[i], reached[i]) })
		}
		playing.Wait()
		var got []string
		waitUntil(patienceOfTests/4, func() bool {
			got = countRows(t, cases, path)
			return slices.Equal(want, got)
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", who, diff)
		}
	}
	path := filepath.Join(t.TempDir(), "s")
	ours := startWith(t, text, func(o *Options) {
		ln, err := admin.Listen(conf.StatsSocket{Address: conf.Address{Net: conf.NetUnix, Path: path}, UID: -1, GID: -1})
		if err != nil {
			t.Fatal(err)
		}
		o.Stats = []net.Listener{ln}
	})
	var to []net.Addr
	for i := range cases {
		to = append(to, ours.addrs[fmt.Sprintf("abort%d", i)])
	}
	compare("Sluice", path, to)
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("no HAProxy here to compare with")
	}
	judge := &balancer{t: t, lines: make(chan string, 1<<16)}
	path = filepath.Join(t.TempDir(), "h")
	to = haproxy(t, "global\n  stats socket "+path+"\n"+judge.logTarget(t)+text, len(cases))
	compare("HAProxy", path, to)
}

// TestOneFileCounts: only session/count.go writes the counters of package stat.
func TestOneFileCounts(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*.go", "session/*.go", "exchange/*.go"} {
		some, err := filepath.Glob(pattern)
		if err != nil || len(some) == 0 {
			t.Fatal(pattern, err)
		}
		files = append(files, some...)
	}
	writes := strings.Fields("Inc Add Open Close Move Request Response")
	for _, name := range files {
		if name == "session/count.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := gotoken.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if ok && slices.Contains(writes, method.Sel.Name) && namesStat(method.X) {
				t.Errorf("%s counts; only session/count.go may", set.Position(n.Pos()))
			}
			return true
		})
	}
}

// namesStat reports whether an expression contains a field named stat or Stat.
func namesStat(e ast.Expr) bool {
	for {
		s, ok := e.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		if s.Sel.Name == "stat" || s.Sel.Name == "Stat" {
			return true
		}
		e = s.X
	}
}
