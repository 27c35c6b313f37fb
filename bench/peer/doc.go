// Package peer contains the proxies that are compared. It configures each for a Site in the
// best way we know, starts it on the loopback, and waits until it accepts connections.
//
// A Peer is immutable. The caller of Start owns the Running peer; only its method Stop ends the
// process.
package peer
