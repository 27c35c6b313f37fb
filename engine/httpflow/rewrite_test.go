package httpflow

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"sluice/conf"
)

// rewritten returns a request with these fields after an edit, without its Host field.
func rewritten(t *testing.T, request string, change func(*Rewrite)) string {
	t.Helper()
	_, h := asked(t, request)
	var w Rewrite
	w.Request(h)
	change(&w)
	return string(w.Append(nil))
}

func lines(all ...string) string { return strings.Join(all, "\r\n") + "\r\n\r\n" }

func TestFieldEdits(t *testing.T) {
	request := lines("GET / HTTP/1.1", "Host: a", "X-A:  1 ", "x-b: 2", "X-a: 3", "X-C:")
	any := regexp.MustCompile
	for _, c := range []struct {
		name   string
		change func(*Rewrite)
		want   string
	}{
		{"nothing", func(*Rewrite) {}, lines("GET / HTTP/1.1", "Host: a", "X-A: 1", "x-b: 2", "X-a: 3", "X-C: ")},
		{"add", func(w *Rewrite) { w.AddHeader("X-A", []byte("9")) },
			lines("GET / HTTP/1.1", "Host: a", "X-A: 1", "x-b: 2", "X-a: 3", "X-C: ", "x-a: 9")},
		{"set", func(w *Rewrite) { w.SetHeader("X-A", []byte("9")) },
			lines("GET / HTTP/1.1", "Host: a", "x-b: 2", "X-C: ", "x-a: 9")},
		{"set twice", func(w *Rewrite) { w.SetHeader("X-A", []byte("8")); w.SetHeader("x-a", []byte("9")) },
			lines("GET / HTTP/1.1", "Host: a", "x-b: 2", "X-C: ", "x-a: 9")},
		{"add and delete", func(w *Rewrite) { w.AddHeader("X-B", []byte("9")); w.DelHeader("X-B") },
			lines("GET / HTTP/1.1", "Host: a", "X-A: 1", "X-a: 3", "X-C: ")},
		{"delete and add", func(w *Rewrite) { w.DelHeader("X-B"); w.AddHeader("X-B", []byte("9")) },
			lines("GET / HTTP/1.1", "Host: a", "X-A: 1", "X-a: 3", "X-C: ", "x-b: 9")},
		{"delete what begins", func(w *Rewrite) {
			w.AddHeader("X-New", []byte("9"))
			w.DelHeaders(func(name []byte) bool { return bytes.HasPrefix(name, []byte("X-")) })
		}, lines("GET / HTTP/1.1", "Host: a", "x-b: 2")},
		{"replace", func(w *Rewrite) { w.ReplaceHeader("x-A", any(`([13])`), []byte(`<\1\0>\\\x\9`)) },
			lines("GET / HTTP/1.1", "Host: a", `X-A: <11>\x`, "x-b: 2", `X-a: <33>\x`, "X-C: ")},
		{"replace without a match", func(w *Rewrite) { w.ReplaceHeader("x-A", any(`^z`), []byte(`9`)) },
			lines("GET / HTTP/1.1", "Host: a", "X-A: 1", "x-b: 2", "X-a: 3", "X-C: ")},
		{"replace what was added", func(w *Rewrite) {
			w.AddHeader("X-D", []byte("abc"))
			w.ReplaceHeader("X-D", any(`a(.*)`), []byte(`\1`))
		}, lines("GET / HTTP/1.1", "Host: a", "X-A: 1", "x-b: 2", "X-a: 3", "X-C: ", "x-d: bc")},
		{"what would end the line is blank", func(w *Rewrite) {
			w.AddHeader("X-D", []byte("a\r\nEvil: 1\x00"))
			w.ReplaceHeader("X-B", any(`2`), []byte("b\r\nEvil: 1"))
		}, lines("GET / HTTP/1.1", "Host: a", "X-A: 1", "x-b: b  Evil: 1", "X-a: 3", "X-C: ", "x-d: a  Evil: 1 ")},
	} {
		if got := rewritten(t, request, c.change); got != c.want {
			t.Errorf("%s: got %q\nwant %q", c.name, got, c.want)
		}
	}
}

// TestReplaceLikeHAProxy expects the values that HAProxy 2.6 made.
func TestReplaceLikeHAProxy(t *testing.T) {
	match, template := regexp.MustCompile(`(a)(.*)`), []byte(`q\2\1`)
	request := lines("GET / HTTP/1.1", "Host: a", "X-H: ab, ac", "X-H: zz")
	got := rewritten(t, request, func(w *Rewrite) { w.ReplaceHeader("X-H", match, template) })
	if want := lines("GET / HTTP/1.1", "Host: a", "X-H: qb, aca", "X-H: zz"); got != want {
		t.Errorf("replace-header: %q, want %q", got, want)
	}
	got = rewritten(t, request, func(w *Rewrite) { w.ReplaceValue("X-H", match, template) })
	if want := lines("GET / HTTP/1.1", "Host: a", "X-H: qba,qca", "X-H: zz"); got != want {
		t.Errorf("replace-value: %q, want %q", got, want)
	}
}

// TestReplaceEntries: commas in quotes do not separate entries, and entries that do not match keep
// their blanks.
func TestReplaceEntries(t *testing.T) {
	got := rewritten(t, lines("GET / HTTP/1.1", "Host: a", `X-H: z, "a,b" , ;a; , z`), func(w *Rewrite) {
		w.ReplaceValue("X-H", regexp.MustCompile(`(a)(.*)`), []byte(`q\2\1`))
	})
	if want := lines("GET / HTTP/1.1", "Host: a", `X-H: z,q,b"a,q;a, z`); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRequestLine(t *testing.T) {
	match := regexp.MustCompile
	for _, c := range []struct {
		target string
		change func(*Rewrite)
		want   string
	}{
		{"/a?b", func(*Rewrite) {}, "GET /a?b HTTP/1.1"},
		{"/a?b", func(w *Rewrite) { w.SetPath([]byte("/new")) }, "GET /new?b HTTP/1.1"},
		{"http://a/x?y", func(w *Rewrite) { w.SetPath([]byte("/new")) }, "GET http://a/new?y HTTP/1.1"},
		{"http://a/x/?y/z", func(w *Rewrite) { w.SetPath([]byte("/new")) }, "GET http://a/new?y/z HTTP/1.1"},
		{"*", func(w *Rewrite) { w.SetPath([]byte("/new")) }, "GET /new HTTP/1.1"},
		{"/a", func(w *Rewrite) { w.SetQuery([]byte("q=1")) }, "GET /a?q=1 HTTP/1.1"},
		{"/a?", func(w *Rewrite) { w.SetQuery([]byte("q=1")) }, "GET /a?q=1 HTTP/1.1"},
		{"/a?b?c", func(w *Rewrite) { w.SetQuery([]byte("q=1")) }, "GET /a?q=1 HTTP/1.1"},
		{"/a?b", func(w *Rewrite) { w.SetQuery(nil) }, "GET /a? HTTP/1.1"},
		{"/a", func(w *Rewrite) { w.SetQuery(nil) }, "GET /a HTTP/1.1"},
		{"/a?b", func(w *Rewrite) { w.SetPathQ([]byte("/n?m")) }, "GET /n?m HTTP/1.1"},
		{"http://a/a?b", func(w *Rewrite) { w.SetURI([]byte("/n?m")) }, "GET /n?m HTTP/1.1"},
		{"/a/b?c", func(w *Rewrite) { w.ReplacePath(match(`^/a(.*)`), []byte(`/x\1`)) }, "GET /x/b?c HTTP/1.1"},
		{"/a/b?c", func(w *Rewrite) { w.ReplacePath(match(`c`), []byte(`x`)) }, "GET /a/b?c HTTP/1.1"},
		{"/a?b", func(w *Rewrite) { w.ReplacePathQ(match(`(.*)\?(.*)`), []byte(`/\2?\1`)) }, "GET /b?/a HTTP/1.1"},
		{"http://a/a?b", func(w *Rewrite) { w.ReplaceURI(match(`http://[^/]*(.*)`), []byte(`\1&c`)) }, "GET /a?b&c HTTP/1.1"},
		{"/a", func(w *Rewrite) { w.SetPath([]byte("/b HTTP/1.1\r\nEvil: \xff")) }, "GET /b%20HTTP/1.1%0D%0AEvil:%20%FF HTTP/1.1"},
	} {
		got := rewritten(t, "GET "+c.target+" HTTP/1.1\r\nHost: a\r\n\r\n", c.change)
		if line, _, _ := strings.Cut(got, "\r\n"); line != c.want {
			t.Errorf("%s: %s, want %s", c.target, line, c.want)
		}
	}
}

// TestFramingFieldsStay: no rule changes the fields that frame a message.
func TestFramingFieldsStay(t *testing.T) {
	request := lines("POST / HTTP/1.1", "Host: a", "Content-length: 0")
	got := rewritten(t, request, func(w *Rewrite) {
		w.DelHeader("Content-Length")
		w.SetHeader("content-length", []byte("5"))
		w.AddHeader("Transfer-Encoding", []byte("chunked"))
		w.ReplaceHeader("content-length", regexp.MustCompile(`.*`), []byte("7"))
		w.ReplaceValue("content-length", regexp.MustCompile(`.*`), []byte("7"))
		w.DelHeaders(func(name []byte) bool { return name[0] == 'C' })
	})
	if got != request {
		t.Errorf("%q", got)
	}
}

func TestStatusLine(t *testing.T) {
	for line, want := range map[string]string{
		"HTTP/1.7 200 OK": "HTTP/1.1 200 OK", "HTTP/1.1 200": "HTTP/1.1 200 ", "HTTP/1.0 404 ": "HTTP/1.0 404 ",
	} {
		x, _ := asked(t, get11)
		var w Rewrite
		w.Response(replied(t, x, line+"\r\n\r\n"))
		if got := string(w.Append(nil)); got != want+"\r\n\r\n" {
			t.Errorf("%q becomes %q", line, got)
		}
	}
}

// TestNormal holds heads that are passed on in a different form than they were received.
func TestNormal(t *testing.T) {
	for head, want := range map[string]string{
		"\r\n\nGET  /   HTTP/1.1\nHost:a\nX:\t y \n\n": lines("GET / HTTP/1.1", "Host: a", "X: y"),
		"GET / HTTP/1.7\r\nHost: a\r\n\r\n":            lines("GET / HTTP/1.1", "Host: a"),
		"GET / HTTP/1.0\n\n":                           lines("GET / HTTP/1.0"),
	} {
		if got := rewritten(t, head, func(*Rewrite) {}); got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
}

func TestForward(t *testing.T) {
	plain := &conf.ForwardFor{}
	ifNone := &conf.ForwardFor{IfNone: true}
	named := &conf.ForwardFor{Header: "X-Client"}
	except := &conf.ForwardFor{Except: netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		name        string
		front, back *conf.ForwardFor
		client      string
		field       string // of the request
		want        string // fields added
	}{
		{"frontend", plain, nil, "1.2.3.4", "", "x-forwarded-for: 1.2.3.4"},
		{"backend", nil, plain, "1.2.3.4", "", "x-forwarded-for: 1.2.3.4"},
		{"both, once", plain, plain, "1.2.3.4", "", "x-forwarded-for: 1.2.3.4"},
		{"neither", nil, nil, "1.2.3.4", "", ""},
		{"IPv6", plain, nil, "2001:db8::1", "", "x-forwarded-for: 2001:db8::1"},
		{"IPv6 with a zone", plain, nil, "fe80::1%eth0", "", "x-forwarded-for: fe80::1"},
		{"IPv4 on an IPv6 socket", plain, nil, "::ffff:1.2.3.4", "", "x-forwarded-for: 1.2.3.4"},
		{"UNIX", plain, nil, "", "", ""},
		{"appended", plain, nil, "1.2.3.4", "X-Forwarded-For: 5.6.7.8", "x-forwarded-for: 1.2.3.4"},
		{"if-none", ifNone, nil, "1.2.3.4", "x-forwarded-FOR: 5.6.7.8", ""},
		{"if-none, and none", ifNone, nil, "1.2.3.4", "", "x-forwarded-for: 1.2.3.4"},
		{"if-none on one side only", ifNone, plain, "1.2.3.4", "X-Forwarded-For: 5.6.7.8", "x-forwarded-for: 1.2.3.4"},
		{"if-none on both sides", ifNone, ifNone, "1.2.3.4", "X-Forwarded-For: 5.6.7.8", ""},
		{"except", except, nil, "10.1.2.3", "", ""},
		{"except does not hold", except, nil, "11.1.2.3", "", "x-forwarded-for: 11.1.2.3"},
		{"except of the other side", plain, except, "10.1.2.3", "", ""},
		{"except, mapped", except, nil, "::ffff:10.1.2.3", "", ""},
		{"the backend's name", plain, named, "1.2.3.4", "", "x-client: 1.2.3.4"},
		{"the frontend's name", named, nil, "1.2.3.4", "", "x-client: 1.2.3.4"},
		{"the backend's name, if it has none", named, plain, "1.2.3.4", "", "x-forwarded-for: 1.2.3.4"},
	} {
		var client netip.Addr
		if c.client != "" {
			client = netip.MustParseAddr(c.client)
		}
		head := []string{"GET / HTTP/1.1", "Host: a"}
		if c.field != "" {
			head = append(head, c.field)
		}
		want := head
		if c.want != "" {
			want = append(want, c.want)
		}
		got := rewritten(t, lines(head...), func(w *Rewrite) { w.Forward(client, c.front, c.back) })
		if got != lines(want...) {
			t.Errorf("%s: %q, want %q", c.name, got, lines(want...))
		}
	}
}

// TestLargeEdits: edits that would make a head ever larger stop, and the head is recognised as too
// large. Each of these edits would at least double it.
func TestLargeEdits(t *testing.T) {
	all, twice := regexp.MustCompile("(.*)"), []byte(`\1\1`)
	value := strings.Repeat("v", MaxHead/2)
	for name, edit := range map[string]func(w *Rewrite){
		"replace-header": func(w *Rewrite) { w.ReplaceHeader("x", all, twice) },
		"replace-value":  func(w *Rewrite) { w.ReplaceValue("x", all, twice) },
		"replace-path":   func(w *Rewrite) { w.ReplacePath(all, twice) },
		"replace-pathq":  func(w *Rewrite) { w.ReplacePathQ(all, twice) },
		"replace-uri":    func(w *Rewrite) { w.ReplaceURI(all, twice) },
		"add-header":     func(w *Rewrite) { w.AddHeader("y", []byte(value)) },
		"one by many":    func(w *Rewrite) { w.ReplaceHeader("x", all, bytes.Repeat(twice, 1000)) },
	} {
		_, h := asked(t, "GET /"+value[:MaxHead/4]+" HTTP/1.1\r\nHost: a\r\nX: "+value[:MaxHead/4]+"\r\n\r\n")
		var w Rewrite
		w.Request(h)
		for range 40 {
			edit(&w)
		}
		if w.Fits(MaxHead) {
			t.Errorf("%s: fits", name)
		}
		made := w.Append(nil)
		if !w.Large(made) || len(made) > 6*MaxHead || len(w.text) > 2*maxText {
			t.Errorf("%s: a head of %d bytes and %d bytes of text; large: %v", name, len(made), len(w.text), w.Large(made))
		}
		if w.Request(h); w.Large(w.Append(nil)) || !w.Fits(MaxHead) {
			t.Errorf("%s: the next head is large", name)
		}
	}
}

// TestFits: a head that Fits accepts has at most MaxHead bytes after the edits.
func TestFits(t *testing.T) {
	for n := 0; n < MaxHead; n += MaxHead / 16 {
		text := "HTTP/1.1 200 OK\r\n" + strings.Repeat("a:\n", n/3) + "\r\n"
		var x Exchange
		var h Head
		if got, _ := x.Reply([]byte(text), &h); got != len(text) {
			t.Fatalf("an answer of %d bytes is not accepted", len(text))
		}
		for size := 0; size < MaxHead; size += MaxHead / 16 {
			var w Rewrite
			w.Response(&h)
			w.AddHeader("x", make([]byte, size))
			if made := w.Append(nil); w.Fits(h.Size()) && w.Large(made) {
				t.Errorf("an answer of %d bytes and a field of %d make %d", n, size, len(made))
			}
		}
	}
}
