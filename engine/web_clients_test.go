//go:build !simulation

package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// webOrigin starts a server. It answers /page with "page", /sum with the digest of the
// request's body, and /length/N and /chunked/N with N bytes of a content.
func webOrigin(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })
	mux.HandleFunc("/sum", func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		if _, err := io.Copy(h, r.Body); err != nil {
			t.Errorf("request's body: %v", err)
		}
		fmt.Fprintf(w, "%x", h.Sum(nil))
	})
	mux.HandleFunc("/length/{size}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", r.PathValue("size"))
		serveContent(w, r)
	})
	mux.HandleFunc("/chunked/{size}", serveContent)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func serveContent(w http.ResponseWriter, r *http.Request) {
	size, err := strconv.ParseInt(r.PathValue("size"), 10, 64)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = io.Copy(w, &reading{what: newContent(0, size)})
}

// reading makes a content a Reader. Its WriteTo writes pieces of about 1 MiB, which become
// chunks.
type reading struct {
	what *content
	left []byte
}

func (r *reading) Read(b []byte) (int, error) {
	if len(r.left) == 0 {
		if r.left = r.what.next(blockSize); len(r.left) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(b, r.left)
	r.left = r.left[n:]
	return n, nil
}

func (r *reading) WriteTo(w io.Writer) (all int64, err error) {
	for b := r.what.next(blockSize); len(b) > 0 && err == nil; b = r.what.next(blockSize) {
		var n int
		n, err = w.Write(b)
		all += int64(n)
	}
	return all, err
}

func webSite(t *testing.T) (*balancer, string) {
	t.Helper()
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  option forwardfor
  server s `+webOrigin(t))
	return b, b.addrs["f"].String()
}

// spliced checks that most of these bytes were spliced. Under the race detector the bodies are
// smaller, so the bytes that are copied at their start are a larger part.
func (b *balancer) spliced(bytes int64) {
	b.t.Helper()
	wait(b.t, "the sessions to end", func() bool { return b.Sessions() == 0 })
	if n := b.Stat.Spliced.Load(); n < small(bytes/10*9, bytes/2) {
		b.t.Errorf("%d of %d bytes of bodies were spliced; want nearly all", n, bytes)
	}
}

// TestWebBulk: 1 GiB in each direction, by length and in chunks, arrives unchanged and is
// spliced.
func TestWebBulk(t *testing.T) {
	size := small(1<<30, 16<<20)
	want := fmt.Sprintf("%x", sum(0, size))
	b, addr := webSite(t)
	transport := &http.Transport{WriteBufferSize: 1 << 20}
	c := &http.Client{Transport: transport}
	for _, chunked := range []bool{false, true} {
		if got := upload(t, c, "http://"+addr+"/sum", size, chunked); got != want {
			t.Errorf("upload, chunked %v: digest %s; want %s", chunked, got, want)
		}
		path := map[bool]string{false: "length", true: "chunked"}[chunked]
		if got := download(t, c, fmt.Sprintf("http://%s/%s/%d", addr, path, size)); got != want {
			t.Errorf("download, chunked %v: digest %s; want %s", chunked, got, want)
		}
	}
	transport.CloseIdleConnections()
	b.spliced(4 * size)
}

func upload(t *testing.T, c *http.Client, url string, size int64, chunked bool) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, &reading{what: newContent(0, size)})
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = size
	if chunked {
		r.ContentLength = -1
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, _ := io.ReadAll(resp.Body)
	return string(got)
}

func download(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, resp.Body); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// curl runs curl with a content as its standard input, and returns the digest of its output.
func curl(t *testing.T, input io.Reader, args ...string) (string, hash.Hash) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patienceOfTests)
	defer cancel()
	cmd := exec.CommandContext(ctx, find(t, "curl"), append([]string{"-sS", "--noproxy", "*"}, args...)...)
	h := sha256.New()
	var start, complaints bytes.Buffer
	cmd.Stdin, cmd.Stderr = input, &complaints
	cmd.Stdout = io.MultiWriter(h, &most{&start, 100})
	if err := cmd.Run(); err != nil {
		t.Fatalf("curl %s: %v: %s", strings.Join(args, " "), err, &complaints)
	}
	return start.String(), h
}

// most is a writer that keeps the first bytes.
type most struct {
	*bytes.Buffer
	n int
}

func (m *most) Write(b []byte) (int, error) {
	m.Buffer.Write(b[:min(len(b), max(0, m.n-m.Len()))])
	return len(b), nil
}

func TestWebBulkByCurl(t *testing.T) {
	size := small(1<<30, 16<<20)
	want := fmt.Sprintf("%x", sum(0, size))
	b, addr := webSite(t)
	for _, framing := range [][]string{
		{"-H", "Transfer-Encoding:", "-H", fmt.Sprintf("Content-Length: %d", size)},
		{"-H", "Transfer-Encoding: chunked"},
	} {
		args := append([]string{"-X", "POST", "-T", "-", "http://" + addr + "/sum"}, framing...)
		if got, _ := curl(t, &reading{what: newContent(0, size)}, args...); got != want {
			t.Errorf("upload %q: %q; want %q", framing, got, want)
		}
	}
	for _, path := range []string{"length", "chunked"} {
		_, h := curl(t, nil, fmt.Sprintf("http://%s/%s/%d", addr, path, size))
		if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
			t.Errorf("download %s: digest %s; want %s", path, got, want)
		}
	}
	b.spliced(3 * size)
}

// TestWebClients: the HTTP clients of Python and Node use one connection for many requests, and
// bodies arrive.
func TestWebClients(t *testing.T) {
	size := small(64<<20, 4<<20)
	sent := sha256.Sum256([]byte(strings.Repeat("0123456789abcdef", int(size/16))))
	want := fmt.Sprintf("page\n%x\n%[1]x\n%[2]x\n%[2]x\none\n", sent, sum(0, size))
	for name, script := range map[string]string{"/usr/bin/python3": "client.py", "node": "client.js"} {
		t.Run(script, func(t *testing.T) {
			b, addr := webSite(t)
			if got := tool(t, "", name, "testdata/clients/"+script, addr, strconv.FormatInt(size, 10)); got != want {
				t.Errorf("got %q; want %q", got, want)
			}
			if n := b.Stat.Total(); n != 1 {
				t.Errorf("%d connections; want 1", n)
			}
			wait(t, "the sessions to end", func() bool { return b.Sessions() == 0 })
			t.Logf("%d of %d bytes were spliced", b.Stat.Spliced.Load(), 4*size)
		})
	}
}

// TestWebLoad: load generators report no errors.
func TestWebLoad(t *testing.T) {
	b, addr := webSite(t)
	url := "http://" + addr + "/page"
	if said := tool(t, "", "wrk", "-t1", "-c16", "-d1s", url); strings.Contains(said, "Non-2xx") || strings.Contains(said, "Socket errors") {
		t.Errorf("wrk says %s", said)
	}
	for name, args := range map[string][]string{
		"one request a connection": {"-n", "500", "-c", "8"},
		"kept":                     {"-k", "-n", "2000", "-c", "8"},
		"uploads":                  {"-k", "-n", "500", "-c", "8", "-p", write(t, "upload", strings.Repeat("x", 10000)), "-T", "text/plain"},
	} {
		t.Run(name, func(t *testing.T) {
			said := tool(t, "", "ab", append(append([]string{"-q"}, args...), url)...)
			if strings.Contains(said, "Non-2xx") || !strings.Contains(said, "Failed requests:        0\n") {
				t.Errorf("ab says %s", said)
			}
			if kept := strings.Contains(said, "Keep-Alive requests:    "+args[2]+"\n"); args[0] == "-k" && !kept {
				t.Errorf("not all connections were kept: %s", said)
			}
		})
	}
	wait(t, "the sessions to end", func() bool { return b.Sessions() == 0 })
}
