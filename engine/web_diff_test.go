//go:build !simulation

package engine

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWebAsHAProxy runs the scripts of testdata/web through Debian's HAProxy and through
// Sluice, with the same configuration. Clients and servers must get the same, except for the
// differences that docs/http.md explains.
func TestWebAsHAProxy(t *testing.T) {
	reasons, err := os.ReadFile("../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, cases := range webCases(t) {
		t.Run(name, func(t *testing.T) {
			servers := newWebServers(t)
			text := webConfig(cases, servers)
			judge, log := newWebLog(t), newWebLog(t)
			theirs := haproxy(t, "defaults\n"+judge.defaults()+text, len(cases))
			ours := start(t, log.defaults()+text)
			for i, c := range cases {
				t.Run(c.name, func(t *testing.T) {
					for _, heading := range []string{c.differs, c.logged} {
						if heading != "" && !bytes.Contains(reasons, []byte("## "+heading+"\n")) {
							t.Errorf("docs/http.md has no heading %q", heading)
						}
					}
					compareWeb(t, c, theirs[i], ours.addrs[fmt.Sprintf("c%d", i)], servers)
				})
			}
			compareWebLogs(t, cases, judge, log)
		})
	}
}

func compareWeb(t *testing.T, c *webCase, theirs, ours net.Addr, servers *webServers) {
	t.Helper()
	patience := webPatience
	if c.differs != "" {
		patience = hopeless
	}
	want := c.play(t, theirs, servers, patience)
	got := c.play(t, ours, servers, webPatience)
	diff := cmp.Diff(want.plain(), got.plain())
	switch {
	case got.problem != "":
		t.Errorf("%s%s", got.problem, diff)
	case c.differs == "" && want.problem != "":
		t.Errorf("HAProxy: %s%s", want.problem, want.plain())
	case c.differs == "" && diff != "":
		t.Error(diff)
	case c.differs != "" && diff == "":
		t.Errorf("no difference; want the one of %q", c.differs)
	case !strings.HasPrefix(got.client, c.gets):
		t.Errorf("the client got %q; want %q first", got.client, c.gets)
	case !strings.HasPrefix(got.first(), c.passes):
		t.Errorf("the server got %q; want %q first", got.first(), c.passes)
	}
}

// haproxy runs HAProxy with a configuration. It passes the sockets of the bind lines to HAProxy
// and returns their addresses.
func haproxy(t *testing.T, text string, binds int) []net.Addr {
	t.Helper()
	var addrs []net.Addr
	var sockets []net.Listener
	for i := range binds {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addrs, sockets = append(addrs, ln.Addr()), append(sockets, ln)
		text = strings.Replace(text, fmt.Sprintf("bind 127.0.1.%d:1\n", i), fmt.Sprintf("bind fd@%d\n", 3+i), 1)
	}
	haproxyOn(t, text, sockets...)
	return addrs
}

// haproxyOn runs HAProxy with a configuration. It passes the sockets to HAProxy as descriptors from
// 3 on, and closes its own.
func haproxyOn(t *testing.T, text string, sockets ...net.Listener) {
	t.Helper()
	var files []*os.File
	for _, ln := range sockets {
		file, err := ln.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		ln.Close()
		defer file.Close()
		files = append(files, file)
	}
	cmd := exec.Command(find(t, "haproxy"), "-db", "-f", write(t, "haproxy.cfg", text))
	cmd.ExtraFiles, cmd.Stderr = files, t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

var (
	fieldNames = regexp.MustCompile(`(?m)^[A-Za-z0-9-]+: `)
	ownPages   = regexp.MustCompile(`(?s)HTTP/1\.1 (\d\d\d) [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n(?:<html>.*?</html>\n|<!doctype html>.*?</p>\n)`)
	upgrades   = regexp.MustCompile(`(?i)(connection: upgrade\r\n)((?:[^\r\n]+\r\n)+)\r\n`)
	dates      = regexp.MustCompile(`\|[A-Za-z0-9+/-]{5}`)
)

// webPlain removes from a stream the parts that always differ. They are the sizes of chunks,
// the case of field names and the position of the upgrade field. Removed are also the text of
// error pages and the date of a cookie.
func webPlain(stream string) string {
	stream = fieldNames.ReplaceAllStringFunc(stream, strings.ToLower)
	stream = upgrades.ReplaceAllString(stream, "${2}connection: upgrade\r\n\r\n")
	stream = ownPages.ReplaceAllString(stream, "(a page of its own: $1)\n")
	stream = dates.ReplaceAllString(stream, "|dates")
	return joinChunks(stream)
}

// joinChunks writes each chunked body as one chunk.
func joinChunks(stream string) string {
	const mark = "transfer-encoding: chunked\r\n"
	begin := strings.Index(stream, mark)
	if begin < 0 {
		return stream
	}
	head := strings.Index(stream[begin:], "\r\n\r\n")
	if head < 0 {
		return stream
	}
	body := begin + head + len("\r\n\r\n")
	data, rest := cutChunks(stream[body:])
	return stream[:body] + "(chunked) " + data + "\r\n" + joinChunks(rest)
}

// cutChunks returns the data of the chunks at the start of a stream. rest is the part after the
// last chunk: trailers, or bytes that are no chunk.
func cutChunks(stream string) (data, rest string) {
	for {
		line, after, _ := strings.Cut(stream, "\r\n")
		digits, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 16, 32)
		switch {
		case err != nil || int(n) > len(after):
			return data, stream
		case n == 0:
			return data, after
		}
		data += after[:n]
		stream = strings.TrimPrefix(after[n:], "\r\n")
	}
}
