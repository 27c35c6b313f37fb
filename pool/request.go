package pool

import (
	"fmt"
	"strings"

	"sluice/conf"
)

// appendRequest appends the request of a check. The bytes are those of HAProxy 2.6, with header
// names in lower case. One difference is intended: the Host of option httpchk is also sent if
// http-check send sets headers, unless one of them is Host.
func appendRequest(dst []byte, c *conf.HTTPCheck) []byte {
	dst = fmt.Appendf(dst, "%s %s %s\r\n", c.Method, c.URI, c.Version)
	given := map[string]bool{}
	for _, h := range c.Headers {
		given[strings.ToLower(h.Name)] = true
	}
	if c.Host != "" && !given["host"] {
		dst = fmt.Appendf(dst, "host: %s\r\n", c.Host)
	}
	dst = appendHeaders(dst, c.Headers)
	if c.Body != "" || !bodiless(c.Method) {
		dst = fmt.Appendf(dst, "content-length: %d\r\n", len(c.Body))
	}
	if c.Version != "HTTP/1.0" && !given["connection"] {
		dst = append(dst, "connection: close\r\n"...)
	}
	return append(append(dst, "\r\n"...), c.Body...)
}

// appendHeaders appends the headers except content-length and transfer-encoding, because
// appendRequest sets the length of the body.
func appendHeaders(dst []byte, headers []conf.CheckHeader) []byte {
	for _, h := range headers {
		switch name := strings.ToLower(h.Name); name {
		case "content-length", "transfer-encoding":
		default:
			dst = fmt.Appendf(dst, "%s: %s\r\n", name, h.Value)
		}
	}
	return dst
}

// bodiless reports whether a request of this method without a body needs no content-length.
func bodiless(method string) bool {
	switch method {
	case "OPTIONS", "GET", "HEAD", "DELETE":
		return true
	}
	return false
}
