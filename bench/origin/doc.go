// Package origin is the server behind all proxies of a run. It is a separate process: Main runs
// in that process, and Start starts it. The caller of Start owns it.
//
// The origin has two sites, A and B, so that wrong routing is detected. Each site answers HTTP
// requests. It answers TLS hellos with bytes that only have the form of TLS records, because
// the proxies pass them through. Both sites run on gnet with one loop. Bulk transfers use
// goroutines and package net instead, because gnet can neither stop reading nor report that a
// socket is writable.
package origin
