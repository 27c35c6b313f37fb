package acl

import (
	"bytes"
	"math"
	"net/netip"
	"strconv"
	"unsafe"
)

// converter makes another value of one; false: there is none. What it builds
// lies in f.text, where its input may lie as well.
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

// textToAddress takes an address with or without a port, as hdr_ip does.
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

// parseAddress allocates nothing for an address; only for what looks like one
// and is none, netip makes an error.
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

// mapBytes copies front to back, so that v may lie in f.text itself.
func mapBytes(f *Facts, v value, change func(byte) byte) (value, bool) {
	f.text = f.text[:0]
	for _, c := range v.b {
		f.text = append(f.text, change(c))
	}
	return value{b: f.text}, true
}

func length(_ *Facts, v value) (value, bool) { return value{n: int64(len(v.b))}, true }

// hostOnly takes the port off a host, in lower case; brackets of an IPv6 address
// stay.
func hostOnly(f *Facts, v value) (value, bool) {
	host, _ := splitPort(v.b)
	return toLower(f, value{b: host})
}

// portOnly is 0 where there is no port.
func portOnly(_ *Facts, v value) (value, bool) {
	_, port := splitPort(v.b)
	return value{n: leadingInt(port)}, true
}

// splitPort cuts at the last colon outside brackets.
func splitPort(b []byte) (host, port []byte) {
	from := bytes.LastIndexByte(b, ']') + 1
	if i := bytes.LastIndexByte(b[from:], ':'); i >= 0 {
		return b[:from+i], b[from+i+1:]
	}
	return b, nil
}

// signedInt is leadingInt behind a sign.
func signedInt(b []byte) int64 {
	switch {
	case len(b) > 0 && b[0] == '-':
		return -leadingInt(b[1:])
	case len(b) > 0 && b[0] == '+':
		return leadingInt(b[1:])
	}
	return leadingInt(b)
}

// leadingInt reads as far as there are digits, as HAProxy does: 12ab is 12, and
// ab is 0. What is beyond an int64 is the highest.
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
