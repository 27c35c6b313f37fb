package httpflow

import (
	"strings"
	"time"

	"sluice/conf"
)

// Cookie keeps clients on their servers: `cookie` of a backend, as HAProxy does
// it (configuration.txt 4.2). It is immutable and shared by all loops.
type Cookie struct {
	name                                  string
	insert, rewrite, prefix               bool
	noCache, postOnly, preserve, indirect bool
	maxIdle, maxLife                      int64 // s; 0: no limit
	attributes                            string
}

// NewCookie makes ready what a backend's `cookie` line says.
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

// Claim is what a request said about its server. It is kept until the answer;
// it holds no pointer. Pick makes it; without cookies it is not looked at.
type Claim struct {
	// Server is the one that the client is to be sent to; -1: any will do. Where
	// it turns out to be out of reach, and another is taken, set it to -1 and
	// Letter to D.
	Server int32
	// Letter is the third of the termination state (configuration.txt 8.5):
	// N none, V valid, I of no server known, D of one that is down, E too long
	// unused, O too old.
	Letter byte

	used  uint32 // when the client's cookie was last renewed, s since 1970; 0: not told
	given uint32 // when it was first given
}

// Lookup finds the server of a cookie's value: the first in the declared order
// that has this value and may be used. The letter is V where it is up; D where
// it is down, and then a server is given only with `option persist`; I and -1
// where none has that value.
type Lookup func(value []byte) (server int32, letter byte)

// The marks inside a cookie's value.
const (
	prefixEnd = '~'
	dateStart = '|'
)

// Dates are written in units of 4 seconds, as 5 digits of base 64.
const (
	dateDigits = 5
	dateShift  = 2
	tolerated  = 86400 // s that a date may lie in the future
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

// date reads the seconds since 1970 at the start of b; 0: there are none.
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

// expired says whether a date is longer ago than it may be, or further ahead
// than a clock set wrong explains.
func expired(at uint32, limit, now int64) bool {
	return at != 0 && limit != 0 && (now-int64(at) > limit || int64(at)-now > tolerated)
}
