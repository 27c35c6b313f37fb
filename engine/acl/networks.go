package acl

import (
	"net/netip"
	"slices"
)

// networks finds the networks that contain an address. An IPv4 address may lie in an IPv6 network,
// and the other way round. HAProxy 2.6 does the following, measured in testdata/haproxy/addresses.txt:
//
//   - It looks up an IPv4 address a.b.c.d among the IPv4 patterns, then as ::ffff:a.b.c.d among the
//     IPv6 patterns.
//   - It looks up an IPv6 address among the IPv6 patterns. If that finds nothing and the address
//     contains an IPv4 address (see embedded), it looks this up among the IPv4 patterns.
//
// The order changes only how long HAProxy searches: one match is enough. Here a pattern may belong
// to several rules, so all look-ups are done and the lowest rule counts.
type networks struct {
	rules
	four   prefixes // the IPv4 patterns
	mapped prefixes // the IPv6 patterns that contain ::ffff:a.b.c.d, as networks of the a.b.c.d
	six    prefixes // all IPv6 patterns
}

func newNetworks(keys []key) *networks {
	t := &networks{rules: rulesOf(keys)}
	for _, k := range keys {
		if k.net.Addr().Is4() {
			t.four.add(k.net, k.rule)
			continue
		}
		t.six.add(k.net, k.rule)
		if p, ok := unmapped(k.net); ok {
			t.mapped.add(p, k.rule)
		}
	}
	for _, p := range []*prefixes{&t.four, &t.mapped, &t.six} {
		p.sort()
	}
	return t
}

// first relies on that no address is ::ffff:a.b.c.d: the fetches and casts yield a.b.c.d instead.
func (t *networks) first(v value, from int32) int32 {
	if v.ip.Is4() {
		return min(t.four.first(v.ip, from), t.mapped.first(v.ip, from))
	}
	best := t.six.first(v.ip, from)
	if ip, ok := embedded(v.ip); ok {
		best = min(best, t.four.first(ip, from))
	}
	return best
}

// prefixes holds networks of one family. A search needs one look-up for each prefix length in use,
// whatever the number of networks.
type prefixes struct {
	at   map[netip.Prefix]rules
	bits []int // prefix lengths in use
}

func (s *prefixes) add(p netip.Prefix, rule int32) {
	if s.at == nil {
		s.at = map[netip.Prefix]rules{}
	}
	s.at[p] = append(s.at[p], rule)
	if !slices.Contains(s.bits, p.Bits()) {
		s.bits = append(s.bits, p.Bits())
	}
}

// sort must be called after the last add.
func (s *prefixes) sort() {
	for _, r := range s.at {
		slices.Sort(r)
	}
}

// first returns the lowest rule, not below from, with a network that contains ip.
func (s *prefixes) first(ip netip.Addr, from int32) int32 {
	best := none
	for _, bits := range s.bits {
		// there is no error: no prefix of the family is longer than ip
		p, _ := ip.Prefix(bits)
		best = min(best, s.at[p].lowest(from))
	}
	return best
}

// mapping is the network of the IPv4 addresses mapped to IPv6: ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
var mapping = netip.PrefixFrom(netip.AddrFrom16([16]byte{10: 0xff, 11: 0xff}), 96)

// unmapped returns the network of the IPv4 addresses whose mapped form an IPv6 network contains. ok
// is false if it contains none.
func unmapped(p netip.Prefix) (four netip.Prefix, ok bool) {
	switch {
	case !p.Overlaps(mapping):
		return netip.Prefix{}, false
	case p.Bits() <= mapping.Bits():
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0), true
	}
	return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapping.Bits()), true
}

// embedded returns the IPv4 address that HAProxy finds in an IPv6 address that is not mapped. The
// forms are ::a.b.c.d (RFC 4291, 2.5.5.1), which ::1 is one of, and 2002:aabb:ccdd:: with any
// bytes behind (6to4, RFC 3056). HAProxy does not know 64:ff9b::a.b.c.d (RFC 6052).
func embedded(ip netip.Addr) (four netip.Addr, ok bool) {
	b := ip.As16()
	switch {
	case [12]byte(b[:]) == [12]byte{}:
		return netip.AddrFrom4([4]byte(b[12:])), true
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:])), true
	}
	return netip.Addr{}, false
}
