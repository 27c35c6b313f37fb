//go:build !simulation

package engine

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// TestRandomConversations: clients pipeline random requests, split at random places, to servers
// with random behaviour. Each answer must belong to its request, and be complete and in order.
func TestRandomConversations(t *testing.T) {
	t.Logf("seed %d", *seed)
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  http-request return status 200 content-type text/plain string local if { path_beg /local }
  http-request set-header X-Seen yes
  use_backend one if { hdr(host) one.test }
  default_backend two
backend one
  cookie SRV insert indirect
  server a `+moody(t, "one")+` cookie a
  server b `+moody(t, "one")+` cookie b
backend two
  option http-server-close
  server a `+moody(t, "two"))
	var clients sync.WaitGroup
	for n := range 24 {
		clients.Go(func() { converse(t, b, rand.New(rand.NewPCG(*seed, uint64(n)))) })
	}
	clients.Wait()
}

// wish is one random request and the expected content of its answer.
type wish struct{ text, want string }

func randomRequest(rng *rand.Rand, n int) wish {
	host := [...]string{"one", "two"}[rng.IntN(2)]
	body := strings.Repeat(strconv.Itoa(n)+".", rng.IntN(1<<rng.IntN(15)))
	path := fmt.Sprintf("/%d", n)
	head := fmt.Sprintf(" HTTP/1.1\r\nHost: %s.test\r\n", host)
	want := fmt.Sprintf("%s %s %d", host, path, len(body))
	switch rng.IntN(4) {
	case 0:
		return wish{"GET /local" + path + head + "\r\n", "local"}
	case 1:
		return wish{"GET " + path + head + "\r\n", fmt.Sprintf("%s %s 0", host, path)}
	case 2:
		return wish{fmt.Sprintf("POST %s%sContent-Length: %d\r\n\r\n%s", path, head, len(body), body), want}
	}
	var chunks strings.Builder
	for left := body; len(left) > 0; {
		k := 1 + rng.IntN(len(left))
		fmt.Fprintf(&chunks, "%x\r\n%s\r\n", k, left[:k])
		left = left[k:]
	}
	return wish{"POST " + path + head + "Transfer-Encoding: chunked\r\n\r\n" + chunks.String() + "0\r\n\r\n", want}
}

func converse(t *testing.T, b *balancer, rng *rand.Rand) {
	t.Helper()
	c := b.dial("f")
	var requests []wish
	var all bytes.Buffer
	for n := range 60 {
		r := randomRequest(rng, n)
		requests = append(requests, r)
		all.WriteString(r.text)
	}
	cuts := rand.New(rand.NewPCG(rng.Uint64(), 1))
	go func() {
		for all.Len() > 0 {
			if _, err := c.Write(all.Next(1 + cuts.IntN(1<<cuts.IntN(16)))); err != nil {
				return
			}
		}
	}()
	in := bufio.NewReader(c)
	for i, r := range requests {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Errorf("answer %d: %v; want %q", i, err, r.want)
			return
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 || !strings.HasPrefix(string(body), r.want) || strings.Trim(string(body[len(r.want):]), "+") != "" {
			t.Errorf("answer %d: status %d, %.60q, %v; want %q", i, resp.StatusCode, body, err, r.want)
			return
		}
	}
}

// moody starts an HTTP server. It answers with a description of the request and a random number
// of marks: with a length, in chunks, or until it closes.
func moody(t *testing.T, name string) string {
	t.Helper()
	var served sync.Mutex
	rng := rand.New(rand.NewPCG(*seed, 99))
	return newPeer(t, func(c *net.TCPConn) {
		in := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			n, _ := io.Copy(io.Discard, r.Body)
			served.Lock()
			mood, more := rng.IntN(8), rng.IntN(1<<rng.IntN(18))
			served.Unlock()
			answer := fmt.Sprintf("%s %s %d", name, r.URL.Path, n) + strings.Repeat("+", more)
			resp := &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: r,
				ContentLength: int64(len(answer)), Body: io.NopCloser(strings.NewReader(answer)), Close: r.Close || mood == 0}
			if r.Header.Get("X-Seen") != "yes" {
				resp.StatusCode = 500
			}
			if mood > 4 {
				resp.ContentLength, resp.TransferEncoding = -1, []string{"chunked"}
			}
			if resp.Write(c) != nil || resp.Close {
				return
			}
		}
	}).String()
}
