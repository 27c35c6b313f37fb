package acl

import (
	"bytes"
	"math"
	"net/netip"
	"strconv"
	"unsafe"
)

// converter converts a value. It returns false if there is no result. The result may lie in f.text,
// and the input too.
type converter func(f *Facts, v value) (value, bool)

var casts = map[[2]kind]converter{
	{text, number}:    textToNumber,
	{text, boolean}:   textToNumber,
	{text, address}:   textToAddress,
	{number, text}:    numberToText,
	{number, boolean}: numberToFlag,
	{boolean, number}: keep,
	{boolean, text}:   numberToText,
	{address, text}:   addressToText,
}

func keep(_ *Facts, v value) (value, bool) { return v, true }

func textToNumber(_ *Facts, v value) (value, bool) {
	return value{n: signedInt(v.b)}, len(v.b) > 0
}

func numberToFlag(_ *Facts, v value) (value, bool) { return truthOf(v.n != 0), true }

func numberToText(f *Facts, v value) (value, bool) {
	f.text = strconv.AppendInt(f.text[:0], v.n, 10)
	return value{b: f.text}, true
}

func addressToText(f *Facts, v value) (value, bool) {
	f.text = v.ip.AppendTo(f.text[:0])
	return value{b: f.text}, true
}

// textToAddress parses an address with or without a port, as hdr_ip does.
func textToAddress(_ *Facts, v value) (value, bool) {
	host, port := splitPort(v.b)
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	} else if bytes.Count(v.b, colon) > 1 {
		host, port = v.b, nil
	}
	if len(port) > 0 && !allDigits(port) {
		return value{}, false
	}
	ip, ok := parseAddress(host)
	return value{ip: ip}, ok
}

// parseAddress parses an IP address. It allocates only for an invalid address, because the error
// of package netip does.
func parseAddress(b []byte) (netip.Addr, bool) {
	const longest = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")
	if len(b) == 0 || len(b) > longest {
		return netip.Addr{}, false
	}
	for _, c := range b {
		if !isAddressByte[c] {
			return netip.Addr{}, false
		}
	}
	ip, err := netip.ParseAddr(unsafe.String(&b[0], len(b)))
	return ip.Unmap(), err == nil
}

var isAddressByte = func() (set [256]bool) {
	for _, c := range "0123456789abcdefABCDEF.:" {
		set[c] = true
	}
	return set
}()

func toLower(f *Facts, v value) (value, bool) { return mapBytes(f, v, lower) }
func toUpper(f *Facts, v value) (value, bool) { return mapBytes(f, v, upper) }

// mapBytes may be called with a v that lies in f.text itself, because it copies from front to back.
func mapBytes(f *Facts, v value, change func(byte) byte) (value, bool) {
	f.text = f.text[:0]
	for _, c := range v.b {
		f.text = append(f.text, change(c))
	}
	return value{b: f.text}, true
}

func length(_ *Facts, v value) (value, bool) { return value{n: int64(len(v.b))}, true }

// hostOnly removes the port from a host and makes it lower case. The brackets of an IPv6 address
// stay.
func hostOnly(f *Facts, v value) (value, bool) {
	host, _ := splitPort(v.b)
	return toLower(f, value{b: host})
}

// portOnly returns the port of a host, or 0 if there is none.
func portOnly(_ *Facts, v value) (value, bool) {
	_, port := splitPort(v.b)
	return value{n: leadingInt(port)}, true
}

// splitPort splits at the last colon outside brackets.
func splitPort(b []byte) (host, port []byte) {
	from := bytes.LastIndexByte(b, ']') + 1
	if i := bytes.LastIndexByte(b[from:], ':'); i >= 0 {
		return b[:from+i], b[from+i+1:]
	}
	return b, nil
}

// signedInt parses an integer like leadingInt, with an optional sign before it.
func signedInt(b []byte) int64 {
	switch {
	case len(b) > 0 && b[0] == '-':
		return -leadingInt(b[1:])
	case len(b) > 0 && b[0] == '+':
		return leadingInt(b[1:])
	}
	return leadingInt(b)
}

// leadingInt parses the digits at the start of b, as HAProxy does: 12ab is 12, and ab is 0. It
// returns the highest int64 for larger numbers.
func leadingInt(b []byte) int64 {
	n := int64(0)
	for _, c := range b {
		d := int64(c) - '0'
		switch {
		case !isDigit(c):
			return n
		case n > (math.MaxInt64-d)/10:
			return math.MaxInt64
		}
		n = n*10 + d
	}
	return n
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}

var colon = []byte(":")
