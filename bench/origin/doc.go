// Package origin is the server behind every proxy of a run, in a process of its
// own: Main is that process, Start begins and owns it.
//
// It has two sites, A and B, so that a proxy which routes wrongly is seen. Each
// answers HTTP requests, and TLS hellos with bytes that only look like TLS: the
// proxies pass them through. Both run on gnet's own engine, one loop. Bulk has
// goroutines on net instead, because gnet can neither stop reading nor say when
// there is room to write.
package origin
