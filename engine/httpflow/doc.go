// Package httpflow follows HTTP/1 on the two connections of a session, for mode http. It finds where
// each message ends, refuses messages that are ambiguous, and rewrites heads. It does not change the
// bytes of a body, so that bodies can be spliced.
//
// The package uses no socket, no clock and no goroutine. Only regular expressions allocate memory.
//
// A session owns an [Exchange], which holds no pointer, and with cookies a [Claim]. A loop owns a
// [Rewrite], a [Head] and the scanner and facts of package sniff. It uses them for all its sessions,
// on its own goroutine. A [Cookie] or an [Answer] is made from the configuration; it is immutable and
// shared by all loops.
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
// The caller makes the edits in this order. For a request: the edits of the rules, then Cookie.Pick,
// Cookie.Hide, Forward and ToServer. For an answer: the edits of the rules, then Cookie.Give and ToClient.
// Content-Length and Transfer-Encoding cannot be edited, so an edit of a field never moves the end of a
// message. A new status may mean that the answer has no body: ToClient then ends the answer with its head.
//
// An Exchange follows one request at a time. Bytes that the client sends after that request wait until
// the answer is complete. The bodies of request and answer may be passed on at the same time:
//
//	n := body.Take(b)        // n bytes of b belong to the message: pass them on
//	body.Free() > 0          // so many further bytes may be moved unread, by splice
//	body.Moved(k)            // k bytes were moved unread
//	body.Done(), Broken()    // the message is complete; or its framing is invalid
//
// The states of a [Body]:
//
//	ended <-- counted (Content-Length)
//	      <-- until the connection ends (Ended); a tunnel too
//	      <-- trailers <-- size 0 <--+
//	                       size n ---+--> data, n bytes unread --> CRLF --> size
//	broken <-- after any invalid byte of framing, from every state
//
// # What is refused
//
// The table lists the messages that this package refuses, and some that it accepts. A number is the
// status of the refusal. "Taken" means that the message is passed on; "broken off" that the connections
// are closed. Sections are those of RFC 9112 if no other RFC is named. Malformed messages that the
// table omits are refused: requests with 400, answers with 502.
//
//	what                                   section        request  answer
//	head above 64 KiB                      9110 15.5.15   431, 414 502
//	CR without LF in a head                2.2            400      502
//	LF alone ends a line of a head         2.2            taken, rewritten as CRLF
//	empty lines before a message           2.2            taken    502
//	several blanks in the first line       3              taken    502
//	HTTP/2.0 and up, HTTP/0.9              2.3            400      502
//	HTTP/1.2 to 1.9                        2.3            taken as 1.1
//	blank before the colon, empty name     5.1            400      502
//	value folded into the next line        5.2            400      502
//	NUL in a value                         9110 5.5       400      502
//	other control bytes in a value         9110 5.5       taken
//	no Host in HTTP/1.1                    3.2            400      -
//	two Host, a list, an invalid host      3.2            400      -
//	target names another host than Host    3.2.2          400      -
//	fragment or a byte above 126 in target 3.2            400      -
//	Content-Length and Transfer-Encoding   6.3            400      502
//	Transfer-Encoding in HTTP/1.0          6.1            400      502
//	Transfer-Encoding: x, chunked          6.1            501      taken
//	Transfer-Encoding with an empty item   6.1            400      502
//	the same without chunked as its end    6.3            400      502
//	Content-Length: sign, above 2^63       6.3            400      502
//	Content-Length: 0 twice or in a list   6.3            taken, sent once
//	the same length twice or in a list     6.3            400      taken, see below
//	different lengths                      6.3            400      502
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
//	WebSocket, no body, no key of 24 bytes 6455 4.1       400      -
//	101 without Upgrade in the request     9110 15.2.2    -        502
//	101 without Connection: upgrade        9110 7.8       -        502
//	101 to WebSocket without Accept        6455 4.2.2     -        502
//	interim answer to HTTP/1.0             9110 15.2      -        left out
//	lengths of 1xx and 204                 9110 8.6       -        left out
//
// If an answer has the same Content-Length several times, the client gets it once. An answer without a length
// ends when its connection ends (6.3). An answer to HEAD, and one with status 1xx, 204 or 304, has no
// body even if its fields announce one.
//
// A request may ask for another protocol (9110 7.8), with two exceptions. The protocol must not carry
// requests itself, as h2c does: these requests would bypass the rules. The request must have no body,
// because others may take the body for bytes of the new protocol. In both cases its Upgrade field is
// removed and the answer is in HTTP/1.1.
//
// Fields that Connection names are not removed (9110 7.6.1). Otherwise a client could remove fields
// that a proxy before this one has added. Connection itself is never passed on, so that no server
// removes the fields added here.
//
// HAProxy 2.6 accepts more: folded values, a missing Host, LF alone in chunks, h2c, two equal
// Content-Length or Host fields. It also accepts Content-Length together with Transfer-Encoding and
// removes the first. This is safe there, because HAProxy writes all framing again. Bodies that are
// spliced must already be valid when they arrive.
package httpflow
