package engine

import "sluice/engine/relay"

// sizes are the sizes at which a loop changes what it does, and how much it does before others have
// a turn. An engine uses defaultSizes. Tests make them small, so that few bytes and few
// connections reach every case.
type sizes struct {
	relay.Sizes
	Share   int // bytes that one direction of a session may move before the other sessions have a turn
	Pump    int // body bytes without chunk framing among them; below, reading and parsing is cheaper than splicing
	Accepts int // maximum number of connections that one event accepts
	Events  int // maximum number of events in one batch
	Tick    int // events between two looks at the clock
}

// defaultSizes returns the sizes that were measured to be fast. Handling 16 events, one tick, takes
// 1 or 2 ms.
func defaultSizes() sizes {
	return sizes{Sizes: relay.DefaultSizes(), Share: 1 << 20, Pump: relay.BufferSize / 4, Accepts: 64, Events: 256, Tick: 16}
}
