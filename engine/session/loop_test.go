package session

import (
	"testing"

	"sluice/engine/reactor"
)

// TestEventsForClosedSocketsAreIgnored: a batch may contain events for sockets that were closed while
// the batch was handled. They must not reach the session.
func TestEventsForClosedSocketsAreIgnored(t *testing.T) {
	b, err := newSlab(1)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	id := b.take()
	b.At(id).Sock = [2]Socket{Client: {FD: 5, serial: 7}, Server: {FD: -1, serial: 7}}
	for _, test := range []struct {
		what    string
		side    Side
		serial  uint32
		reaches bool
	}{
		{"open socket of the client", Client, 7, true},
		{"former socket of the client", Client, 6, false},
		{"socket of the client 65536 sockets ago", Client, 7 + 1<<16, false},
		{"closed socket of the server", Server, 7, false},
		{"former socket of the server", Server, 6, false},
	} {
		l := &Loop{Sessions: b}
		if got := reaches(l, reactor.Token{Session: id, Side: uint8(test.side), Serial: test.serial}); got != test.reaches {
			t.Errorf("an event for the %s reaches the session: %v", test.what, got)
		}
	}
}

// reaches reports whether an event reaches a session. The work on the session fails, because the loop
// has no listener.
func reaches(l *Loop, k reactor.Token) (yes bool) {
	defer func() { yes = recover() != nil }()
	l.OnSocket(k, 1)
	return false
}

// TestEventForClosedListenerIsIgnored: accepting would change the number of clients that the next
// event may accept.
func TestEventForClosedListenerIsIgnored(t *testing.T) {
	l := &Loop{lines: []*Listener{{FD: -1, Burst: 1}, nil}, Sizes: DefaultSizes()}
	l.OnListener(1)
	if l.OnListener(0); l.lines[0].Burst != 1 {
		t.Error("a listener without a socket accepts")
	}
}
