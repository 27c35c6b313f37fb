package acl

import (
	"errors"
	"math/bits"
	"net/netip"
	"strings"
)

var errNetwork = errors.New("is no address, wanted one such as 192.0.2.1 or 2001:db8::1, or a network such as 10.0.0.0/8 or 10.0.0.0/255.0.0.0")

// parseNetwork parses an address or a network. It clears the bits after the mask, as HAProxy does.
// An IPv4 address mapped to IPv6 stays IPv6: ::ffff:10.0.0.1 does not match ::10.0.0.1, but 10.0.0.1
// does, see networks.
func parseNetwork(pattern string) (netip.Prefix, error) {
	host, mask, masked := strings.Cut(pattern, "/")
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	if err != nil || ip.Zone() != "" {
		return netip.Prefix{}, errNetwork
	}
	n := ip.BitLen()
	if masked {
		if n, err = maskBits(ip, mask); err != nil {
			return netip.Prefix{}, err
		}
	}
	p, err := ip.Prefix(n)
	if err != nil {
		return netip.Prefix{}, errNetwork
	}
	return p, nil
}

// maskBits parses a prefix length, or a dotted mask whose ones all precede its zeros.
func maskBits(ip netip.Addr, mask string) (int, error) {
	if n, err := (&numbers{}).scalar(mask); err == nil {
		if n < 0 || n > int64(ip.BitLen()) {
			return 0, errNetwork
		}
		return int(n), nil
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() || !ip.Is4() {
		return 0, errNetwork
	}
	b := m.As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	n := bits.LeadingZeros32(^v)
	if n+bits.TrailingZeros32(v) < 32 {
		return 0, errors.New("has a mask with holes, wanted its ones in front of its zeros")
	}
	return n, nil
}
