// Package sniff tells what a client is speaking from the bytes it has sent so
// far: the head of an HTTP/1 request or a TLS ClientHello.
//
// It is pure: bytes in, facts out, no I/O, no clock, no allocation. Every answer
// is one of three: more bytes are needed, no, or yes. A no or a yes holds
// whatever follows, and nothing past the bytes given is looked at.
//
// A session owns a State while it sniffs; a loop owns a Scanner and the Facts it
// fills, and calls them on its own goroutine only. The caller keeps the bytes:
// each call passes all of them again, and the State remembers how far they were
// walked, so that a client who sends one byte at a time costs no more than one
// who sends all at once.
//
// HTTP is what HAProxy's tcp-mode parser takes for HTTP, where that leaves no
// doubt about the host: where two readers could see two hosts or two bodies, the
// answer is no.
package sniff
