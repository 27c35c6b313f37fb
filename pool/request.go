package pool

import (
	"fmt"
	"strings"

	"sluice/conf"
)

// appendRequest writes the request of a check byte for byte as HAProxy 2.6
// sends it, names of headers in lower case. Unlike there a Host of option
// httpchk goes along with headers of http-check send, unless one is a Host.
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

// appendHeaders leaves out what says how long the body is: only we know.
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

// bodiless says whether the method is one that needs no word on a missing body.
func bodiless(method string) bool {
	switch method {
	case "OPTIONS", "GET", "HEAD", "DELETE":
		return true
	}
	return false
}
