// Package httpflow follows HTTP/1 over the two connections of a session, for
// mode http: where each message ends, whether it can be trusted, and what its
// head becomes on the way. It touches no byte of a body, so that bodies can be
// spliced.
//
// It is pure: no socket, no clock, no goroutine, and no allocation but where
// regular expressions are used. A session owns an [Exchange], which holds no
// pointer, and with cookies a [Claim]; a loop owns a [Rewrite], a [Head] and the
// scanner and facts of package sniff, and uses them for all its sessions on its
// own goroutine. What is made from the configuration ([Cookie], [Answer]) is
// immutable and shared.
//
// # One exchange
//
//	client bytes              Ask                  ToServer, Append
//	  ------------> head? ---------> rules, edits -----------------> server
//	                  | status                                          |
//	                  v                                                 | head?
//	             AppendAnswer, close                              Reply v
//	                                                 +------------------+
//	  <----------------- ToClient, Append -----------|  interim: once more
//	                                                 |  status: 502, close
//	                                                 v
//	             Request.Take, Free, Moved   Response.Take, Free, Moved
//	             until both are Done         or: Tunnel
//	                                                 |
//	                                                 v
//	             KeepClient: Ask again       KeepServer: use it again
//
// The edits are those of the rules; Cookie.Pick follows Ask, Cookie.Hide and
// Forward go before ToServer, Cookie.Give before ToClient, and these two are the
// last. Framing fields can't be edited: where a message ends stays as it came.
//
// One request is followed at a time: what the client has sent behind it waits,
// and is looked at once the answer is complete. Bodies go both ways meanwhile:
//
//	n := body.Take(b)        // n bytes of b belong to the message: pass them on
//	body.Free() > 0          // then so many may follow unseen: splice,
//	body.Moved(k)            // and tell how many did
//	body.Done(), Broken()    // the end; or nothing that follows can be trusted
//
// The states of a [Body]:
//
//	ended <-- counted (Content-Length)
//	      <-- until the connection ends (Ended tells); a tunnel too
//	      <-- trailers <-- size 0 <--+
//	                       size n ---+--> data, n bytes unseen --> CRLF --> size
//	broken <-- from any byte of framing that is not as it must be
//
// # What is refused
//
// Requests are refused with 400 where nothing else is said, answers with 502.
// Sections are those of RFC 9112, if no other is named.
//
//	what                                   section        request  answer
//	head above 64 KiB                      9110 15.5.15   431, 414 502
//	CR without LF in a head                2.2            400      502
//	LF alone ends a line of a head         2.2            taken, written anew as CRLF
//	empty lines before a message           2.2            taken    502
//	several blanks in the first line       3              taken    502
//	HTTP/2.0 and up, HTTP/0.9              2.3            400      502
//	HTTP/1.2 to 1.9                        2.3            taken as 1.1
//	blank before the colon, empty name     5.1            400      502
//	value that goes on in the next line    5.2            400      502
//	NUL in a value                         9110 5.5       400      502
//	other control bytes in a value         9110 5.5       taken
//	no Host in HTTP/1.1                    3.2            400      -
//	two Host, a list, no host              3.2            400      -
//	target names another host than Host    3.2.2          400      -
//	fragment or a byte above 126 in target 3.2            400      -
//	Content-Length and Transfer-Encoding   6.3            400      502
//	Transfer-Encoding in HTTP/1.0          6.1            400      502
//	Transfer-Encoding: x, chunked          6.1            501      taken
//	the same without chunked as its end    6.3            400      502
//	Content-Length: sign, list, above 2^63 6.3            400      502
//	Content-Length: 0 twice or in a list   6.3            taken, told once
//	Content-Length twice, the same         6.3            400      taken, see below
//	Content-Length twice, different        6.3            400      502
//	body of a CONNECT                      9110 9.3.6     400      -
//	GET, HEAD or DELETE in HTTP/1.0 with a body 9110 9.3  413      -
//	chunk: size above 2^63, above 16 digits 7.1           400      broken off
//	chunk: LF alone, CR alone              7.1            400      broken off
//	chunk: blanks between size and CRLF    7.1            taken
//	chunk: extension above 4 KiB           7.1.1          400      broken off
//	control bytes there or in a trailer    9110 5.5       400      broken off
//	trailer that frames or routes          9110 6.5.1     400      broken off
//	trailers above 64 KiB                  9110 5.4       400      broken off
//	status below 100, not three digits     4              -        502
//	WebSocket without a key of 24 bytes    6455 4.1       400      -
//	101 to who did not ask for it          9110 15.2.2    -        502
//	101 without Connection: upgrade        9110 7.8       -        502
//	101 to WebSocket without Accept        6455 4.2.2     -        502
//	interim answer to HTTP/1.0             9110 15.2      -        left out
//	lengths of 1xx and 204                 9110 8.6       -        left out
//
// The same Content-Length told twice in an answer is told once to the client.
// An answer without a length ends with its connection (6.3); one to HEAD and one
// of 1xx, 204 or 304 has no body, whatever it tells.
//
// A request may ask for another protocol (9110 7.8) but not for one that carries
// requests, as h2c: these would get past the rules; and not with a body, of
// which others may think that it is the protocol's already. Its Upgrade is not
// passed on then, and it is answered in HTTP/1.1.
//
// Nor are fields that Connection names taken out (9110 7.6.1): a client could
// have those removed that a proxy before us has added. Connection itself is
// never passed on, so that no server removes ours either.
//
// HAProxy 2.6 takes more: Content-Length beside Transfer-Encoding, which it then
// removes, folded values, a missing Host, LF alone in chunks, a Content-Length
// or Host told twice alike, h2c. It may, as it writes every byte of framing anew;
// what is spliced here must be right as it comes.
package httpflow
