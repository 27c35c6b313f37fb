// Package peer knows the proxies that are compared: how each is configured at
// its honest best for a Site, how it is started on the loopback, and how it is
// checked before anything is timed.
//
// A Peer is immutable. A Running one is owned by who started it; Stop ends its
// process, which nothing else does.
package peer
