package acl

import (
	"bytes"
	"maps"
	"net/netip"

	"sluice/sniff"
)

// fetch is a sample fetch method (HAProxy configuration.txt 7.3).
type fetch struct {
	kind   kind
	get    func(e *expr, f *Facts) (value, presence)
	needs  Needs
	header bool  // takes the arguments (name,occurrence)
	named  bool  // takes an optional argument (name); url_param takes more
	many   bool  // may yield several values
	folded bool  // yields lower case only
	most   int64 // the highest number that it yields; 0: no limit
	dotted bool  // its patterns are versions: major.minor

	response bool // reads the answer
	first    bool // a format writes the first of several values; otherwise the last
}

var (
	anyBytes  = Needs{Bytes: true}
	httpBytes = Needs{Bytes: true, HTTP: true}
	tlsBytes  = Needs{Bytes: true, TLS: true}
	dstOnly   = Needs{Dst: true}
)

var fetches = map[string]*fetch{
	"always_false": {kind: boolean, get: constant(false)},
	"always_true":  {kind: boolean, get: constant(true)},

	"src":      {kind: address, get: srcAddr},
	"src_port": {kind: number, get: srcPort, most: 65535},
	"dst":      {kind: address, get: dstAddr, needs: dstOnly},
	"dst_port": {kind: number, get: dstPort, most: 65535, needs: dstOnly},

	"wait_end": {kind: boolean, get: waitEnd, needs: anyBytes},
	"req.len":  {kind: number, get: reqLen, needs: anyBytes},

	"req.proto_http":     {kind: boolean, get: protoHTTP, needs: httpBytes},
	"method":             {kind: text, get: ofHead(method), needs: httpBytes},
	"path":               {kind: text, get: ofHead(path), needs: httpBytes},
	"url":                {kind: text, get: ofHead(target), needs: httpBytes},
	"req.ver":            {kind: text, get: ofHead(version), needs: httpBytes},
	"req.hdr":            {kind: text, get: header, needs: httpBytes, header: true, many: true},
	"req.fhdr":           {kind: text, get: fullHeader, needs: httpBytes, header: true, many: true},
	"req.hdr_val":        {kind: number, get: headerValue, needs: httpBytes, header: true, many: true},
	"req.hdr_cnt":        {kind: number, get: headerCount, needs: httpBytes, header: true},
	"req.fhdr_cnt":       {kind: number, get: fullHeaderCount, needs: httpBytes, header: true},
	"query":              {kind: text, get: ofHead(query), needs: httpBytes},
	"pathq":              {kind: text, get: ofHead((*sniff.Head).PathQuery), needs: httpBytes},
	"base":               {kind: text, get: base, needs: httpBytes},
	"req.cook":           {kind: text, get: cookie, needs: httpBytes, named: true, many: true},
	"req.cook_cnt":       {kind: number, get: cookieCount, needs: httpBytes, named: true},
	"url_param":          {kind: text, get: param, needs: httpBytes, named: true, many: true, first: true},
	"status":             {kind: number, get: status, most: 999, response: true},
	"res.ver":            {kind: text, get: answerVersion, response: true},
	"res.hdr":            {kind: text, get: header, header: true, many: true, response: true},
	"res.fhdr":           {kind: text, get: fullHeader, header: true, many: true, response: true},
	"res.hdr_val":        {kind: number, get: headerValue, header: true, many: true, response: true},
	"res.hdr_cnt":        {kind: number, get: headerCount, header: true, response: true},
	"res.fhdr_cnt":       {kind: number, get: fullHeaderCount, header: true, response: true},
	"res.cook":           {kind: text, get: setCookie, named: true, many: true, response: true},
	"ssl_fc":             {kind: boolean, get: constant(false)}, // TLS is passed through and never terminated here
	"req.ssl_sni":        {kind: text, get: sni, needs: tlsBytes, folded: true},
	"req.ssl_alpn":       {kind: text, get: alpn, needs: tlsBytes, many: true, first: true},
	"req.ssl_ver":        {kind: number, get: tlsVersion, needs: tlsBytes, dotted: true},
	"req.ssl_hello_type": {kind: number, get: helloType, most: 1, needs: tlsBytes},
}

// aliases maps older or shorter names to the names in fetches. All are HAProxy's.
var aliases = map[string]string{
	"hdr":                "req.hdr",
	"hdr_val":            "req.hdr_val",
	"hdr_cnt":            "req.hdr_cnt",
	"req_ver":            "req.ver",
	"cook":               "req.cook",
	"cook_cnt":           "req.cook_cnt",
	"urlp":               "url_param",
	"resp_ver":           "res.ver",
	"shdr":               "res.hdr",
	"shdr_val":           "res.hdr_val",
	"shdr_cnt":           "res.hdr_cnt",
	"scook":              "res.cook",
	"req_len":            "req.len",
	"req_proto_http":     "req.proto_http",
	"req_ssl_sni":        "req.ssl_sni",
	"req_ssl_alpn":       "req.ssl_alpn",
	"req_ssl_ver":        "req.ssl_ver",
	"req_ssl_hello_type": "req.ssl_hello_type",
}

// spellings maps all names, aliases included, to their fetch.
var spellings = func() map[string]*fetch {
	all := maps.Clone(fetches)
	for short, full := range aliases {
		all[short] = fetches[full]
	}
	return all
}()

func constant(b bool) func(*expr, *Facts) (value, presence) {
	v := truthOf(b)
	return func(*expr, *Facts) (value, presence) { return v, present }
}

func srcAddr(_ *expr, f *Facts) (value, presence) { return addrOf(f.Src) }
func dstAddr(_ *expr, f *Facts) (value, presence) { return addrOf(f.Dst) }
func srcPort(_ *expr, f *Facts) (value, presence) { return portOf(f.Src) }
func dstPort(_ *expr, f *Facts) (value, presence) { return portOf(f.Dst) }

// addrOf removes two details that the kernel adds: the mapping of IPv4 on a dual-stack socket, and
// the zone of a link-local address.
func addrOf(a netip.AddrPort) (value, presence) {
	if !a.IsValid() {
		return value{}, absent
	}
	return value{ip: a.Addr().Unmap().WithZone("")}, present
}

func portOf(a netip.AddrPort) (value, presence) {
	if !a.IsValid() {
		return value{}, absent
	}
	return value{n: int64(a.Port())}, present
}

func waitEnd(_ *expr, f *Facts) (value, presence) {
	if !f.Final {
		return value{}, lacking
	}
	return value{n: 1}, present
}

func reqLen(_ *expr, f *Facts) (value, presence) {
	return value{n: int64(f.Received)}, changing
}

// helloType yields 1 for a ClientHello. Other TLS messages are not recognised.
func helloType(_ *expr, f *Facts) (value, presence) {
	_, p := f.hello()
	return value{n: 1}, p
}

func sni(_ *expr, f *Facts) (value, presence) {
	h, p := f.hello()
	if p != present {
		return value{}, p
	}
	name := h.Name()
	if name == nil {
		return value{}, absent
	}
	return value{b: name}, present
}

// alpn yields the protocols that the client offers, one per call.
func alpn(_ *expr, f *Facts) (value, presence) {
	h, p := f.hello()
	if p != present {
		return value{}, p
	}
	proto, next := h.NextALPN(f.at.field)
	if next == 0 {
		return value{}, absent
	}
	f.at.field = next
	return value{b: proto}, present
}

func tlsVersion(_ *expr, f *Facts) (value, presence) {
	h, p := f.hello()
	if p != present {
		return value{}, p
	}
	return value{n: dotted(int64(h.Version>>8), int64(h.Version&0xff))}, present
}

func protoHTTP(_ *expr, f *Facts) (value, presence) {
	_, p := f.head()
	if p == lacking {
		return value{}, lacking
	}
	return truthOf(p == present), present
}

// ofHead returns a fetch of one part of the request head. A nil part is absent.
func ofHead(part func(*sniff.Head) []byte) func(*expr, *Facts) (value, presence) {
	return func(_ *expr, f *Facts) (value, presence) {
		h, p := f.head()
		if p != present {
			return value{}, p
		}
		b := part(h)
		if b == nil {
			return value{}, absent
		}
		return value{b: b}, present
	}
}

func method(h *sniff.Head) []byte { return h.Method }
func path(h *sniff.Head) []byte   { return h.Path }
func target(h *sniff.Head) []byte { return h.Target }

// version returns the text after "HTTP/", as HAProxy's req.ver does.
func version(h *sniff.Head) []byte { return bytes.TrimPrefix(h.Version, protocol) }

var protocol = []byte("HTTP/")

func (f *Facts) head() (*sniff.Head, presence) {
	if f.Sniff == nil {
		return nil, lacking
	}
	return &f.Sniff.HTTP, seen(f.Sniff.HTTP.Verdict)
}

func (f *Facts) hello() (*sniff.Hello, presence) {
	if f.Sniff == nil {
		return nil, lacking
	}
	return &f.Sniff.TLS, seen(f.Sniff.TLS.Verdict)
}

func seen(v sniff.Verdict) presence {
	switch v {
	case sniff.Yes:
		return present
	case sniff.No:
		return absent
	}
	return lacking
}
