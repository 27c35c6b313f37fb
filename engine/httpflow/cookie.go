package httpflow

import (
	"strings"
	"time"

	"sluice/conf"
)

// Cookie implements the directive `cookie` of a backend: it keeps a client on the same server. The
// behaviour is HAProxy's (configuration.txt 4.2). A Cookie is immutable and shared by all loops.
type Cookie struct {
	name                                  string
	insert, rewrite, prefix               bool
	noCache, postOnly, preserve, indirect bool
	maxIdle, maxLife                      int64 // seconds; 0: no limit
	attributes                            string
}

// NewCookie compiles the `cookie` directive of a backend.
func NewCookie(c *conf.Cookie) *Cookie {
	attributes := []string{"; path=/"}
	for _, domain := range c.Domains {
		attributes = append(attributes, "domain="+domain)
	}
	if c.HTTPOnly {
		attributes = append(attributes, "HttpOnly")
	}
	if c.Secure {
		attributes = append(attributes, "Secure")
	}
	attributes = append(attributes, c.Attrs...)
	return &Cookie{
		name: c.Name, insert: c.Insert, rewrite: c.Rewrite, prefix: c.Prefix, indirect: c.Indirect,
		noCache: c.NoCache, postOnly: c.PostOnly, preserve: c.Preserve,
		maxIdle: int64(c.MaxIdle / time.Second), maxLife: int64(c.MaxLife / time.Second),
		attributes: strings.Join(attributes, "; "),
	}
}

// Claim holds the server that the cookies of a request name. It is kept until the answer and holds
// no pointer. Pick creates it. It is unused if the backend has no `cookie` directive.
type Claim struct {
	// Server is the index of the server that the cookie names; -1: the client may be sent to any
	// server. If that server is unreachable and another is used, the caller must set Server to -1
	// and Letter to D.
	Server int32
	// Letter is the third letter of the termination state (configuration.txt 8.5). N: no cookie, V:
	// valid, I: no server has this value, D: the server is down, E: idle for longer than maxidle,
	// O: older than maxlife.
	Letter byte

	used  uint32 // when the client's cookie was last renewed, in seconds since 1970; 0: not in the cookie
	given uint32 // when the cookie was first given, in seconds since 1970; 0: not in the cookie
}

// Lookup finds the server for a cookie value: the first one with this value, in the order of the
// configuration, that is not down. It then returns V. A server that is down is skipped, unless
// `option persist` is set: then Lookup returns that server and D. It returns -1 and D if every
// server with this value is skipped, and -1 and I if no server has this value.
type Lookup func(value []byte) (server int32, letter byte)

// Delimiters inside the value of a cookie.
const (
	prefixEnd = '~'
	dateStart = '|'
)

// Dates are written in units of 4 seconds, as 5 digits in base 64.
const (
	dateDigits = 5
	dateShift  = 2
	tolerated  = 86400 // seconds that a date may lie in the future
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

var digits64 = makeDigits()

func makeDigits() (d [256]int8) {
	for i := range d {
		d[i] = -1
	}
	for i, c := range []byte(alphabet) {
		d[c] = int8(i)
	}
	return d
}

func appendDate(dst []byte, units uint32) []byte {
	for shift := 6 * (dateDigits - 1); shift >= 0; shift -= 6 {
		dst = append(dst, alphabet[units>>shift&63])
	}
	return dst
}

// date reads the date at the start of b and returns it in seconds since 1970. It returns 0 if b
// does not start with a date.
func date(b []byte) uint32 {
	if len(b) < dateDigits {
		return 0
	}
	n := uint32(0)
	for _, c := range b[:dateDigits] {
		d := digits64[c]
		if d < 0 {
			return 0
		}
		n = n<<6 | uint32(d)
	}
	return n << dateShift
}

// expired reports whether the date at is more than limit seconds before now. A date that is more
// than a day in the future is invalid and also counts as expired. The result is false if at or
// limit is 0.
func expired(at uint32, limit, now int64) bool {
	return at != 0 && limit != 0 && (now-int64(at) > limit || int64(at)-now > tolerated)
}
