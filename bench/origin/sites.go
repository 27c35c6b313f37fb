package origin

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
)

// Addrs are the addresses of the two sites, and of the server of bulk transfers.
type Addrs struct {
	HTTP [2]netip.AddrPort `json:"http"`
	TLS  [2]netip.AddrPort `json:"tls"`
	Bulk netip.AddrPort    `json:"bulk"`
}

// BodySize is the length of an answer's body in bytes.
const BodySize = 128

// Body returns the body of a site's (0 or 1) answers to HTTP requests.
func Body(site int) []byte { return []byte(strings.Repeat(name(site), BodySize-1) + "\n") }

// Answer returns the answer of a site (0 or 1) to an HTTP request. close adds `Connection:
// close`.
func Answer(site int, close bool) []byte {
	connection := ""
	if close {
		connection = "Connection: close\r\n"
	}
	body := Body(site)
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/plain\r\n%sContent-Length: %d\r\n\r\n%s",
		connection, len(body), body)
}

// Flight returns the answer of a site (0 or 1) to a TLS record.
func Flight(site int) []byte {
	body := bytes.Repeat([]byte(name(site)), BodySize)
	return append([]byte{22, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}

// name returns the letter of a site: a or b.
func name(site int) string { return string(rune('a' + site)) }
