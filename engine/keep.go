package engine

import (
	"sluice/engine/relay"
	"sluice/engine/sock"
)

// This file holds the predicates that decide whether a peer's connection or stream is whole. Each of
// them lists all conditions that must hold.

// unharmed reports whether a side's connection shows no sign of an end: no event, read or write
// has reported FIN or an error.
func (v *visit) unharmed(which side) bool {
	const over = relay.SourceClosing | relay.SourceEnded | relay.SourceDoubtful
	return !v.s.flow[which].HasAny(over) && !v.s.sock[which].has(finished|broken)
}

// saidAll reports whether a failed socket had received FIN before, so that no byte is missing. The
// kernel counts FIN as a received byte, and an urgent byte, too, which no read returns. So its count
// is compared with the bytes read. This is not possible in mode http and on UNIX sockets: there EPIPE
// as the first error counts.
func (v *visit) saidAll(from side) bool {
	one, in := &v.s.sock[from], &v.s.flow[from]
	switch {
	case one.has(afterFIN):
		return true
	case one.has(resetFirst):
		return false
	case v.mode.verbatim():
		if n, ok := sock.Received(int(one.fd)); ok {
			if in.Has(relay.SourceUrgent) {
				n--
			}
			return n > in.Bytes
		}
	}
	return one.has(piped)
}
