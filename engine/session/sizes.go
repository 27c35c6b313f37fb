package session

import "sluice/engine/relay"

// Sizes are the limits of a loop for one session or one batch of events, and its thresholds between
// two methods. An engine uses DefaultSizes. Tests use small sizes, so that few bytes and few
// connections reach every case.
type Sizes struct {
	relay.Sizes
	// Share is the maximum number of bytes that one direction of a session moves before the other
	// sessions are served.
	Share int
	// Pump is the minimum number of body bytes, without chunk framing between them, for splice. For
	// fewer bytes it is cheaper to read and parse.
	Pump int
	// Accepts is the maximum number of connections that one event accepts.
	Accepts int
	// Events is the maximum number of events in one batch.
	Events int
	// Repeat is the maximum size in bytes, head and body, of a request that may be sent again. A
	// copy of such a request is held until the first byte of its answer.
	Repeat int
	// Tick is the number of events between two updates of the loop's time.
	Tick int
}

// DefaultSizes returns the sizes that were fast in measurements. A loop handles the 16 events of
// one tick in 1 or 2 ms.
func DefaultSizes() Sizes {
	return Sizes{Sizes: relay.DefaultSizes(), Share: 1 << 20, Pump: relay.BufferSize / 4, Accepts: 64, Events: 256, Repeat: 16 << 10, Tick: 16}
}
