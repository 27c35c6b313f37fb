package httpflow

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"sluice/sniff"
)

// TestAgainstNetHTTP: net/http writes random requests and answers, and parses them again after they
// were passed on. Both sides must see the same messages with the same ends.
func TestAgainstNetHTTP(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		method := []string{"GET", "HEAD", "POST", "PUT", "DELETE"}[r.IntN(5)]
		x, sent := passRequest(t, r, method)
		passAnswer(t, r, x, sent)
	}
}

func passRequest(t *testing.T, r *rand.Rand, method string) (*Exchange, *http.Request) {
	t.Helper()
	content := randomBytes(r)
	req, err := http.NewRequest(method, fmt.Sprintf("http://a.example/%x?q=%d", r.Uint32(), r.IntN(9)), body(r, content, method == "GET" || method == "HEAD"))
	if err != nil {
		t.Fatal(err)
	}
	randomFields(r, req.Header)
	req.Close = r.IntN(4) == 0
	var wire bytes.Buffer
	if err := req.Write(&wire); err != nil {
		t.Fatal(err)
	}
	length := wire.Len()
	wire.WriteString(get11)

	x := &Exchange{}
	var st sniff.State
	var f sniff.Facts
	n, status := x.Ask(sniff.NewScanner(), &st, wire.Bytes(), &f)
	if status != 0 || n == 0 {
		t.Fatalf("%q: status %d", wire.Bytes(), status)
	}
	rest := wire.Bytes()[n:]
	n += x.Request.Take(rest)
	if n != length || !x.Request.Done() {
		t.Fatalf("%q: %d bytes, want %d", wire.Bytes(), n, length)
	}
	var w Rewrite
	w.Request(&f.HTTP)
	x.ToServer(&w)
	got, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append(w.Append(nil), rest...))))
	if err != nil {
		t.Fatal(err)
	}
	if got.Method != method || got.RequestURI != req.URL.RequestURI() || got.Host != req.Host || got.Close != req.Close {
		t.Fatalf("%s %s %s close %v goes in, %s %s %s close %v comes out", method, req.URL.RequestURI(), req.Host, req.Close,
			got.Method, got.RequestURI, got.Host, got.Close)
	}
	sameContent(t, req.Header, got.Header, got.Body, content, req.Body == http.NoBody)
	return x, req
}

func passAnswer(t *testing.T, r *rand.Rand, x *Exchange, req *http.Request) {
	t.Helper()
	content := randomBytes(r)
	res := &http.Response{Request: req, StatusCode: []int{200, 204, 304, 404, 500}[r.IntN(5)], ProtoMajor: 1, ProtoMinor: r.IntN(2), Header: http.Header{}}
	bare := req.Method == "HEAD" || res.StatusCode == 204 || res.StatusCode == 304
	res.Body = io.NopCloser(bytes.NewReader(content))
	switch r.IntN(3) {
	case 0:
		res.ContentLength = int64(len(content))
	case 1:
		res.ContentLength, res.TransferEncoding = -1, []string{"chunked"}
		res.ProtoMinor = 1
	case 2:
		res.ContentLength, res.Close = -1, true
	}
	if bare {
		res.Body, res.ContentLength, res.TransferEncoding, content = http.NoBody, 0, nil, nil
	}
	randomFields(r, res.Header)
	var wire bytes.Buffer
	if err := res.Write(&wire); err != nil {
		t.Fatal(err)
	}
	var h Head
	n, status := x.Reply(wire.Bytes(), &h)
	if status != 0 || n == 0 {
		t.Fatalf("%q: status %d", wire.Bytes(), status)
	}
	rest := wire.Bytes()[n:]
	if n += x.Response.Take(rest); n != wire.Len() || !x.Response.Ended() || !x.Done() {
		t.Fatalf("%q: %d bytes, want %d", wire.Bytes(), n, wire.Len())
	}
	var w Rewrite
	w.Response(&h)
	x.ToClient(&w, &h)
	got, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(append(w.Append(nil), rest...))), req)
	if err != nil || got.StatusCode != res.StatusCode {
		t.Fatalf("%q: %v, %v", wire.Bytes(), got, err)
	}
	if got.Close == x.KeepClient() && !(h.Minor == 0 && req.Close) {
		t.Fatalf("%q: told close %v, kept %v", w.Append(nil), got.Close, x.KeepClient())
	}
	sameContent(t, res.Header, got.Header, got.Body, content, bare)
}

func sameContent(t *testing.T, sent, got http.Header, body io.Reader, content []byte, bare bool) {
	t.Helper()
	for name, values := range sent {
		if strings.HasPrefix(name, "X-") && fmt.Sprint(got[name]) != fmt.Sprint(values) {
			t.Fatalf("%s: %q goes in, %q comes out", name, values, got[name])
		}
	}
	read, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if !bare && !bytes.Equal(read, content) {
		t.Fatalf("%d bytes go in, %d come out", len(content), len(read))
	}
}

// body returns a reader whose length net/http either knows, and then sends as Content-Length, or
// does not know. In the second case net/http sends chunks.
func body(r *rand.Rand, content []byte, bare bool) io.Reader {
	switch {
	case bare:
		return http.NoBody
	case r.IntN(2) == 0 || len(content) == 0:
		return bytes.NewReader(content)
	}
	return io.MultiReader(bytes.NewReader(content))
}

func randomBytes(r *rand.Rand) []byte {
	b := make([]byte, r.IntN(3000))
	for i := range b {
		b[i] = byte(r.IntN(256))
	}
	return b
}

func randomFields(r *rand.Rand, h http.Header) {
	for range r.IntN(8) {
		h.Add(fmt.Sprintf("X-%d", r.IntN(9)), strings.Repeat("v ", r.IntN(20))+"end")
	}
}
