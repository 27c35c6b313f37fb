// Package peer contains the proxies that are compared. It configures each proxy for a Site,
// with the fastest settings that we know. It starts the proxy on the loopback and waits until
// it accepts connections.
//
// A Peer is immutable. The caller of Start owns the Running peer; only its method Stop ends the
// process.
package peer
