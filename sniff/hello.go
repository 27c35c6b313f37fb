package sniff

// The extensions that are read, by their IANA numbers.
const (
	extServerName        = 0
	extALPN              = 16
	extSupportedVersions = 43
	extECH               = 0xfe0d
)

const nameTypeHost = 0

// Hello is what a TLS ClientHello says. It is filled when Verdict is Yes.
//
// With ECH the name is the outer one, which the client chose to show; a name
// alone is never proof of where a client ends up, so it must not guard access.
type Hello struct {
	Verdict Verdict
	// SNI is the first host name sent, folded to lower case and without one
	// trailing dot, otherwise whole, whatever bytes it holds. Nil: none was sent;
	// empty: an empty one was.
	SNI []byte
	// Version is the highest version offered that has a number of TLS
	// (0x0304 for TLS 1.3): of supported_versions, else legacy_version. GREASE
	// and drafts do not count.
	Version uint16
	// ECH says that encrypted_client_hello was sent, real or GREASE.
	ECH bool

	alpn []byte // the wire's list: length, name, length, name...
}

// Name returns the SNI where it may serve as a host name in routing, else nil:
// the empty name, one over 255 bytes, one with bytes outside printable ASCII or
// a blank, and an IP address are refused (RFC 6066 3).
func (h *Hello) Name() []byte {
	if h.Refused() != "" {
		return nil
	}
	return h.SNI
}

// Refused says why an SNI that was sent must not be used in routing. It is empty
// where Name returns a name and where none was sent.
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

// NextALPN returns the protocol name at position at of the list and the position
// of the next, or 0 at the end. It starts at 0:
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
// where <> has a length of one byte and <<>> of two. It is false for what breaks
// this form: a name out of a broken hello would be a guess.
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
	var read uint8 // a bit for each kind read: twice the same is refused
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

// extension reads one extension and returns the bit that marks its kind, 0 for
// those which are skipped.
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

// serverName reads RFC 6066 3: <<type 1 | <<name>> ...>>. A list that starts with
// another type is refused: what follows has no form that all readers agree on.
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

// hostName folds the name where it lies, in the scanner's scratch.
func hostName(name []byte) []byte {
	for i, c := range name {
		name[i] = lower(c)
	}
	if n := len(name) - 1; n >= 0 && name[n] == '.' {
		name = name[:n]
	}
	return name
}

// protocols reads RFC 7301 3.1: <<<name> ...>>, no name empty.
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

// versions reads RFC 8446 4.2.1: <version 2 ...>.
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

// isAddress tells IPv4 and IPv6 literals from names. A name whose last label is
// a number is an address too: resolvers read 127.1 as one.
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
