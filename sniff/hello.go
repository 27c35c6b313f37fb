package sniff

// The numbers of the extensions that are read (IANA registry of TLS extensions).
const (
	extServerName        = 0
	extALPN              = 16
	extSupportedVersions = 43
	extECH               = 0xfe0d
)

// nameTypeHost is the type of a host name in the extension server_name.
const nameTypeHost = 0

// Hello is the contents of a TLS ClientHello. If Verdict is Yes, the other fields are set.
//
// With ECH the name is the outer name, which the client chose to show. A name alone never
// proves which site a client reaches, so access control must not rely on it.
type Hello struct {
	Verdict Verdict
	// SNI is the first host name sent, in lower case and without one trailing dot. Otherwise it
	// is unchanged, whatever bytes it contains. It is nil if no name was sent, and empty if an
	// empty name was sent.
	SNI []byte
	// Version is the highest TLS version offered (0x0304 for TLS 1.3). It is taken from
	// supported_versions or, without that extension, from legacy_version. GREASE values and
	// drafts are ignored.
	Version uint16
	// ECH is true if the extension encrypted_client_hello was sent, real or GREASE.
	ECH bool

	alpn []byte // the list as sent: length, name, length, name...
}

// Name returns the SNI if it may be used as a host name in routing, else nil. Refused gives the
// reason. RFC 6066 3 allows no empty names and no IP addresses.
func (h *Hello) Name() []byte {
	if h.Refused() != "" {
		return nil
	}
	return h.SNI
}

// Refused returns the reason why an SNI that was sent must not be used in routing. The reason
// is empty if Name returns a name, or if no SNI was sent.
func (h *Hello) Refused() string {
	switch {
	case h.SNI == nil:
		return ""
	case len(h.SNI) == 0:
		return "it is empty"
	case len(h.SNI) > 255:
		return "it is longer than 255 bytes"
	}
	for _, c := range h.SNI {
		if c <= ' ' || c >= 0x7f {
			return "it holds bytes that no host name has"
		}
	}
	if isAddress(h.SNI) {
		return "it is an IP address"
	}
	return ""
}

// NextALPN returns the protocol name at position at of the list, and the position of the next
// name, or 0 at the end. The first position is 0:
//
//	for p, at := h.NextALPN(0); at > 0; p, at = h.NextALPN(at) {
func (h *Hello) NextALPN(at int) (proto []byte, next int) {
	if at >= len(h.alpn) {
		return nil, 0
	}
	next = at + 1 + int(h.alpn[at])
	return h.alpn[at+1 : next : next], next
}

// parse reads the body of a hello, RFC 8446 4.1.2:
//
//	version 2 | random 32 | <session id> | <<suites>> | <compression> |
//	<<extensions: type 2 | <<data>> ...>>
//
// Here <> is preceded by a length of one byte, and <<>> by a length of two bytes. parse returns
// false for any other form, because a name from a malformed hello would be a guess.
func (h *Hello) parse(body []byte) bool {
	r := reader{b: body}
	h.Version = r.uint16()
	r.bytes(32)
	r.vector8()
	r.vector16()
	r.vector8()
	if r.bad || len(r.b) == 0 {
		return !r.bad
	}
	extensions := reader{b: r.vector16()}
	return r.done() && h.parseExtensions(extensions)
}

func (h *Hello) parseExtensions(r reader) bool {
	var read uint8 // one bit for each kind of extension that was read; a second one of a kind is refused
	for len(r.b) > 0 {
		kind, data := r.uint16(), r.vector16()
		if r.bad {
			return false
		}
		bit, ok := h.extension(kind, data)
		if !ok || read&bit != 0 {
			return false
		}
		read |= bit
	}
	return true
}

// extension reads one extension. It returns the bit of its kind, or 0 for extensions that are
// skipped.
func (h *Hello) extension(kind uint16, data []byte) (bit uint8, ok bool) {
	switch kind {
	case extServerName:
		return 1, h.serverName(data)
	case extALPN:
		return 2, h.protocols(data)
	case extSupportedVersions:
		return 4, h.versions(data)
	case extECH:
		h.ECH = true
		return 8, true
	}
	return 0, true
}

// serverName reads the list of RFC 6066 3: <<type 1 | <<name>> ...>>. A list that starts with
// another type is refused, because programs read the rest of such a list in different ways.
func (h *Hello) serverName(data []byte) bool {
	r := reader{b: data}
	list := reader{b: r.vector16()}
	kind, name := list.uint8(), list.vector16()
	if !r.done() || list.bad || kind != nameTypeHost {
		return false
	}
	for len(list.b) > 0 {
		list.uint8()
		list.vector16()
	}
	h.SNI = hostName(name)
	return !list.bad
}

// hostName converts the name to lower case and removes one trailing dot. It changes the bytes
// in place, in the memory of the Scanner.
func hostName(name []byte) []byte {
	for i, c := range name {
		name[i] = lower(c)
	}
	if n := len(name) - 1; n >= 0 && name[n] == '.' {
		name = name[:n]
	}
	return name
}

// protocols reads the list of RFC 7301 3.1: <<<name> ...>>. It sets alpn. No name may be empty.
func (h *Hello) protocols(data []byte) bool {
	r := reader{b: data}
	h.alpn = r.vector16()
	list := reader{b: h.alpn}
	for len(list.b) > 0 {
		if len(list.vector8()) == 0 {
			return false
		}
	}
	return r.done() && len(h.alpn) > 0
}

// versions reads the list of RFC 8446 4.2.1: <version 2 ...>. It sets Version to the highest
// one.
func (h *Hello) versions(data []byte) bool {
	const major = 0x0300
	r := reader{b: data}
	list := reader{b: r.vector8()}
	if !r.done() || len(list.b) == 0 {
		return false
	}
	best := uint16(0)
	for len(list.b) > 0 {
		if v := list.uint16(); v&0xff00 == major {
			best = max(best, v)
		}
	}
	if best != 0 {
		h.Version = best
	}
	return !list.bad
}

// isAddress reports whether the name is an IPv4 or IPv6 address. A name whose last label is a
// number counts as an address too, because resolvers read 127.1 as one.
func isAddress(name []byte) bool {
	digits := false
	for i := len(name) - 1; i >= 0 && name[i] != '.'; i-- {
		if !isDigit(name[i]) {
			return hasByte(name, ':')
		}
		digits = true
	}
	return digits || hasByte(name, ':')
}
