package session

import "sluice/engine/relay"

// Sizes are limits of a loop: how much it does for one session or in one batch, and when it uses
// another method. An engine uses defaultSizes. Tests use small sizes, so that few bytes and few
// connections reach every case.
type Sizes struct {
	relay.Sizes
	Share   int // maximum bytes that one direction of a session moves before the other sessions are served
	Pump    int // minimum body bytes without chunk framing between them for splice; fewer bytes are read and parsed, which is cheaper
	Accepts int // maximum number of connections that one event accepts
	Events  int // maximum number of events in one batch
	Repeat  int // maximum bytes, head and body, of a request that may be repeated: a copy is held until the first byte of its answer
	Tick    int // events between two updates of the loop's time
}

// DefaultSizes returns the sizes that were measured to be fast. Handling 16 events, one tick, takes
// 1 or 2 ms.
func DefaultSizes() Sizes {
	return Sizes{Sizes: relay.DefaultSizes(), Share: 1 << 20, Pump: relay.BufferSize / 4, Accepts: 64, Events: 256, Repeat: 16 << 10, Tick: 16}
}
