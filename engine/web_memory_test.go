//go:build !simulation

package engine

import (
	"strings"
	"testing"

	"sluice/engine/plan"
	"sluice/engine/relay"
)

// TestWebMemory: the bytes that mode http holds for many slow peers stay within the budget of
// their purpose, and no byte is lost.
func TestWebMemory(t *testing.T) {
	const clients, limit, long = 10, 4 << 10, 48 << 10
	field := "X-Long: " + strings.Repeat("x", long) + "\r\n"
	chunks := strings.Repeat("10\r\n"+stamped('a', 1, 16)+"\r\n", 20_000)
	for _, c := range []struct {
		name           string
		ask, say, more string // more is sent when all clients hold as much as they can
		want           string // end of the bytes that a client gets
	}{
		{"requests behind requests", head("a") + "GET /2 HTTP/1.1\r\nHost: a\r\n" + field + "\r\n",
			"", sayOK + sayOK, "okHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		{"heads of answers", head("a"),
			"HTTP/1.1 200 OK\r\n" + field, "Content-Length: 2\r\n\r\nok", "ok"},
		{"interim answers in pieces", head("a"),
			"HTTP/1.1 103 Early\r\n" + field + "\r\nHTTP/1.1 200 OK\r\n" + field, "Content-Length: 2\r\n\r\nok", "ok"},
		{"small chunks", head("a"),
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, "0\r\n\r\n", chunks + "0\r\n\r\n"},
		{"chunks of requests", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n",
			"", sayOK, "ok"},
	} {
		// A head of this length does not fit into a narrow UNIX socket.
		for wireName, w := range wires(overTCP, overUnix, narrowTCP) {
			t.Run(c.name+", "+wireName, func(t *testing.T) {
				full := make(chan bool)
				steps := script{hear(c.ask[len(c.ask)-20:])}
				if c.name == "chunks of requests" {
					steps = script{hearHead, until("memory was measured", closed(full)), hear("0\r\n\r\n")}
				}
				if c.name == "requests behind requests" {
					steps = script{hearHead}
				}
				s := serveScripts(t, w, append(steps, meanwhile(say(c.say), until("memory was measured", closed(full)), say(c.more)), takeAll))
				b := startWith(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+s.String()+"\n", func(o *Options) {
					o.Plan.Memory = plan.Memory{Readers: limit, Inspection: limit, Answers: limit, Records: limit}
				})
				var all []*actor
				for range clients {
					all = append(all, b.followOver(w, "f", meanwhile(say(c.ask)), until("memory was measured", closed(full)), hear(c.want[max(0, len(c.want)-60):])))
				}
				wait(t, "the servers to be asked", func() bool { return len(s.all()) == clients })
				b.steady()
				for purpose, budget := range b.Memory {
					most := int64(limit + 2*relay.BufferSize) // each loop may exceed the budget by one read
					if used := budget.Used(); used > most {
						t.Errorf("purpose %d holds %d bytes for %d clients; want at most %d", purpose, used, clients, most)
					}
				}
				close(full)
				for i, a := range all {
					if err := a.failed(); err != nil || !strings.HasSuffix(a.soFar(), c.want) {
						t.Fatalf("client %d: %v\nit got %d bytes: %.200q", i, err, len(a.soFar()), a.soFar())
					}
				}
			})
		}
	}
}

// steady waits until the number of held bytes has not changed for a while.
func (b *balancer) steady() {
	b.t.Helper()
	last, same := int64(-1), 0
	wait(b.t, "the memory to settle", func() bool {
		if now := b.Held(); now != last {
			last, same = now, 0
		}
		same++
		return same > 50
	})
}
