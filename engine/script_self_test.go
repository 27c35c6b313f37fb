//go:build !simulation

package engine

import (
	"strings"
	"testing"
	"time"
)

// scriptSite starts a balancer in mode http for a scripted server.
func scriptSite(t *testing.T, s *scriptServer) *balancer {
	t.Helper()
	return start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+s.String())
}

// TestScriptedPeers tests the scripted peers with a conversation on each wire. The server
// answers early and in pieces, and reads late. The client sends its whole body.
func TestScriptedPeers(t *testing.T) {
	for _, w := range []wire{overTCP, overUnix, narrowTCP, narrowUnix} {
		question, answer := stamped('q', 1, 100000), stamped('r', 1, 50000)
		s := serveScripts(t, w, script{
			pieces(1000), say("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + answer),
			rest(time.Millisecond), hearHead, take(100), hear(question[len(question)-stampSize:]), fin,
		})
		b := scriptSite(t, s)
		c := b.followOver(w, "f", meanwhile(hear(answer[len(answer)-stampSize:])),
			say("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n"+question))
		if err := c.failed(); err != nil {
			t.Error(w, "client:", err)
		}
		if err := s.conn(0).failed(); err != nil {
			t.Error(w, "server:", err)
		}
		checkBody(t, c.got(), 'r')
		checkBody(t, s.conn(0).got(), 'q')
	}
}

// checkBody checks the stamped body of number 1 after a head.
func checkBody(t *testing.T, got string, kind byte) {
	t.Helper()
	_, body, _ := strings.Cut(got, "\r\n\r\n")
	if wrong := foreign(body, kind, 1); wrong != "" {
		t.Error(wrong)
	}
}

// TestScriptsOfDeath: a server sends an interim answer and resets. The client sends a byte of
// urgent data between the two.
func TestScriptsOfDeath(t *testing.T) {
	s := serveScripts(t, overTCP, script{hearHead, say("HTTP/1.1 103 Early Hints\r\n\r\n"), urgent, delivered, rst})
	b := scriptSite(t, s)
	got := b.follow("f", say(head("a")), takeAll).got()
	if !strings.HasPrefix(got, "HTTP/1.1 103 ") {
		t.Errorf("the client got %q", got)
	}
	if s.conn(0).failed() != nil {
		t.Error(s.conn(0).failed())
	}
}
