package session

import (
	"sluice/engine/relay"
	"sluice/engine/sock"
)

// This file holds the predicates that decide whether a peer's connection or stream is whole. Each
// of them lists all conditions that must hold.

// Unharmed reports whether no event, read or write has reported FIN or an error of a side's
// connection.
func (v *Visit) Unharmed(which Side) bool {
	const over = relay.SourceClosing | relay.SourceEnded | relay.SourceDoubtful
	return !v.S.Flow[which].HasAny(over) && !v.S.Sock[which].Has(Finished|Broken)
}

// SaidAll reports whether a failed socket had received FIN before, so that no byte is missing. It
// compares the kernel's count of received bytes with the bytes read. The kernel counts FIN as a
// byte, and also an urgent byte, which no read returns. The comparison is not possible in mode http
// and on UNIX sockets. There SaidAll reports whether the first error was EPIPE.
func (v *Visit) SaidAll(from Side) bool {
	one, in := &v.S.Sock[from], &v.S.Flow[from]
	switch {
	case one.Has(afterFIN):
		return true
	case one.Has(resetFirst):
		return false
	case v.Mode.Verbatim():
		if n, ok := sock.Received(int(one.FD)); ok {
			if in.Has(relay.SourceUrgent) {
				n--
			}
			return n > in.Bytes
		}
	}
	return one.Has(piped)
}
