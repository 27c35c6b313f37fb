// Package sniff recognises the protocol of a client from the first bytes that it has sent: the
// head of an HTTP/1 request, or a TLS ClientHello. "Hello" always means a ClientHello here.
//
// The package does no I/O, reads no clock and allocates nothing. Each answer is a Verdict: more
// bytes are needed, no, or yes. A no or a yes stays valid whatever bytes follow. The package
// never reads past the bytes given.
//
// Each session owns a State while it is sniffed. Each loop owns a Scanner and the Facts that
// the scanner fills, and uses them on its own goroutine only. The caller keeps the bytes and
// passes all of them again with each call. The State remembers how many were read before. So a
// client that sends one byte at a time causes no more work than one that sends all bytes at
// once.
//
// HTTP is recognised as HAProxy's parser does in mode tcp, if the host is unambiguous. If two
// programs could read two different hosts or two different bodies, the answer is no, and the head
// is called unclear. So is one that HAProxy's parser refuses and a lenient program may accept.
package sniff
