//go:build !simulation

package engine

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestUrgentByteInLargeStream: a splice never passes an urgent byte. In front of it, it returns 0 if
// FIN has come, as at the end of the stream. The bytes behind the urgent byte arrive all the same,
// with FIN behind them and without.
func TestUrgentByteInLargeStream(t *testing.T) {
	const size = 1 << 20
	before, after := stamped('r', 1, size), stamped('r', 1, size+1000)[size:]
	for name, s := range map[string]script{
		"fin":  {hearHead, say(before), urgent, say(after), fin},
		"open": {hearHead, say(before), urgent, say(after), hear("thanks"), fin},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, plain+"  server s "+serveScripts(t, overTCP, s).String())
			c := b.follow("f", say(head("a")), hear(after), say("thanks"), takeAll)
			if got := c.got(); !c.ended() || got != before+after {
				t.Errorf("%d bytes and %v; want %d and the end", len(got), c.how(), len(before+after))
			}
		})
	}
}

// TestUrgentByteInLargeUpload is the same for the bytes of a client.
func TestUrgentByteInLargeUpload(t *testing.T) {
	const size = 1 << 20
	before, after := stamped('q', 1, size), stamped('q', 1, size+1000)[size:]
	s := serveScripts(t, overTCP, script{takeAll, say("thanks"), fin})
	b := start(t, plain+"  server s "+s.String())
	c := b.follow("f", say(before), urgent, say(after), fin, takeAll)
	if got := c.got(); got != "thanks" {
		t.Errorf("the client got %q", got)
	}
	if got := s.conn(0).got(); !strings.HasSuffix(got, after) || len(got) != len(before+after) {
		t.Errorf("the server got %d bytes; want %d", len(got), len(before+after))
	}
}

// TestResetBehindUrgentByte: a reset that follows urgent data is passed on as a reset. The kernel
// counts the urgent byte as received, like a FIN, but no read returns it.
func TestResetBehindUrgentByte(t *testing.T) {
	for name, last := range map[string]script{"open": {takeAll}, "half closed": {fin, takeAll}} {
		t.Run(name, func(t *testing.T) {
			s := serveScripts(t, overTCP, append(script{hear("end"), say("answer")}, last...))
			b := start(t, plain+"  server s "+s.String())
			b.follow("f", say("question"), urgent, say("end"), hear("answer"), rst)
			if c := s.conn(0); !errors.Is(c.how(), unix.ECONNRESET) {
				t.Errorf("the server got %q and %v; want a reset", c.got(), c.how())
			}
		})
	}
}
