package sniff

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Report is a form of Facts that `sluice sniff` prints as JSON. A field is empty if nothing was
// found for it. Bytes that are not UTF-8 are written as \xNN.
type Report struct {
	Verdict string   `json:"verdict"` // more, no or yes
	Proto   string   `json:"proto"`   // http, tls or empty
	SNI     string   `json:"sni"`
	ALPN    []string `json:"alpn"`
	Host    string   `json:"host"` // value of the field Host as sent
	Method  string   `json:"method"`
	Path    string   `json:"path"`    // without the query
	Version string   `json:"version"` // for example HTTP/1.1 or TLS1.3
	ECH     bool     `json:"ech,omitempty"`
	Note    string   `json:"note,omitempty"`
}

// Describe returns a report on b, the first bytes of a connection.
func Describe(b []byte) Report {
	var st State
	var f Facts
	NewScanner().Sniff(&st, b, &f)
	return report(&f)
}

func report(f *Facts) Report {
	r := Report{Verdict: f.Verdict().String(), Proto: f.Proto().String(), ALPN: []string{}}
	switch {
	case f.Proto() == TLS:
		r.hello(&f.TLS)
	case f.Proto() == HTTP:
		r.head(&f.HTTP)
	case f.HTTP.H2:
		r.Note = "HTTP/2 with prior knowledge, which is not looked into"
	case f.HTTP.Unclear:
		r.Note = "it begins like an HTTP request, but programs could read it differently"
	}
	return r
}

func (r *Report) hello(h *Hello) {
	r.SNI, r.ECH, r.Version = escape(h.SNI), h.ECH, versionName(h.Version)
	for p, at := h.NextALPN(0); at > 0; p, at = h.NextALPN(at) {
		r.ALPN = append(r.ALPN, escape(p))
	}
	if why := h.Refused(); why != "" {
		r.Note = "the sni is not used for routing: " + why
	}
}

func (r *Report) head(h *Head) {
	host, _ := h.Host()
	r.Host, r.Method, r.Path = escape(host), escape(h.Method), escape(h.Path)
	r.Version = escape(h.Version)
	if h.Chunked && h.ContentLength >= 0 {
		r.Note = "content-length and transfer-encoding contradict each other"
	}
}

// versionName returns the name of a TLS version, such as TLS1.3, or its number, such as 0x401.
func versionName(v uint16) string {
	switch {
	case v == 0x0300:
		return "SSLv3"
	case 0x0301 <= v && v <= 0x0304:
		return fmt.Sprintf("TLS1.%d", v-0x0301)
	}
	return fmt.Sprintf("0x%x", v)
}

func escape(b []byte) string {
	var s strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&s, `\x%02x`, b[0])
		} else {
			s.Write(b[:n])
		}
		b = b[n:]
	}
	return s.String()
}
