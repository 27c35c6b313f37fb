package acl

import (
	"net/netip"
	"strings"
)

// doubts warns of patterns that certainly can never match.
func (b *builder) doubts(t *test, patterns []pattern) {
	needsNone := b.match == "found" || b.match == "bool"
	switch {
	case needsNone && len(patterns) > 0:
		b.warnf("-m %s takes no patterns, %s is ignored", b.match, patterns[0])
	case !needsNone && len(patterns) == 0:
		b.warnf("it has no pattern and will never match; wanted one, or -m found to ask whether it is there")
	case b.tooHigh(t):
		b.warnf("it will never match: '%s' is 0 to %d", b.line.Keyword, b.expr.fetch.most)
	}
	for _, p := range patterns {
		if why := b.impossible(p.text); why != "" && !needsNone {
			b.warnf("%s will never match: %s", p, why)
		}
	}
}

// tooHigh reports whether all integer patterns are outside the range of the fetch.
func (b *builder) tooHigh(t *test) bool {
	r, ok := t.matcher.(ranges)
	most := b.expr.fetch.most
	return ok && most > 0 && len(b.line.Converters) == 0 && b.match == "int" &&
		(r[0].low > most || r[len(r)-1].high < 0)
}

// impossible returns the reason why a pattern can never match, or "" if it may match.
func (b *builder) impossible(p string) string {
	whole := b.match == "str"
	literal := whole || b.match == "beg" || b.match == "end" || b.match == "sub"
	switch {
	case !literal:
		return ""
	case b.always(lowers) && p != string(mapString(p, lower)):
		return "the converter makes the values lower case"
	case b.always(uppers) && p != string(mapString(p, upper)):
		return "the converter makes the values upper case"
	case len(b.line.Converters) > 0:
		return ""
	}
	switch b.expr.fetch {
	case fetches["req.ssl_sni"]:
		return notInName(p, whole)
	case fetches["req.hdr"]:
		if strings.Contains(p, ",") && !strings.Contains(p, `"`) {
			return "the values are cut at commas; req.fhdr has them whole"
		}
	case fetches["req.ssl_alpn"]:
		if strings.Contains(p, ",") {
			return "each protocol is a value of its own; wanted them as patterns of their own"
		}
	case fetches["path"]:
		if whole && !strings.HasPrefix(p, "/") || b.match == "beg" && p != "" && p[0] != '/' {
			return "every path begins with '/'"
		}
		if strings.Contains(p, "?") {
			return "a path ends before the '?'; url has it whole"
		}
	}
	return ""
}

// always reports whether the last converter satisfies these and case is not ignored.
func (b *builder) always(these func(name string) bool) bool {
	n := len(b.line.Converters)
	return n > 0 && these(b.line.Converters[n-1].Name) && !b.line.IgnoreCase
}

func uppers(converter string) bool { return converter == "upper" }

// notInName returns the reason why no SNI can match the pattern, or "".
func notInName(p string, whole bool) string {
	if _, err := netip.ParseAddr(p); err == nil && whole {
		return "an IP address is no SNI"
	}
	for _, c := range []byte(p) {
		switch {
		case c == ':' || c == '/':
			return "an SNI has neither a port nor a path"
		case c <= ' ' || c >= 0x7f:
			return "an SNI has neither blanks nor bytes outside ASCII"
		}
	}
	if whole && p == "" || len(p) > 255 {
		return "an SNI has 1 to 255 bytes"
	}
	return ""
}
