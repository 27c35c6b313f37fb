package conf

import (
	"slices"
	"strings"
)

// suffix warns of a host suffix without a dot at its front. hdr_end(host) compares bytes:
// urlenco.de also matches evilurlenco.de, but it does not match urlenco.de:80.
func (k *checker) suffix(title string, a *ACL) {
	name, short := strings.CutSuffix(a.Keyword, "_end")
	if !short && a.Match != "end" || !namesHost(name, a.Args) {
		return
	}
	i := slices.IndexFunc(a.Patterns, func(p string) bool { return p != "" && p[0] != '.' && p[0] != ':' })
	if i < 0 {
		return
	}
	p, more := a.Patterns[i], ""
	if len(a.Converters) == 0 && strings.HasSuffix(name, "hdr") {
		more = ", and a client that sends '" + p + ":80' does not match"
	}
	k.problems.Warnf(a.Pos, "acl '%s' in %s: any host that ends in '%s' matches, 'evil%s' too; wanted '.%s' and the exact name%s",
		a, title, p, p, p, more)
}

// namesHost reports whether a fetch yields a host name.
func namesHost(fetch string, args []string) bool {
	switch fetch {
	case "hdr", "req.hdr", "req.fhdr":
		return len(args) > 0 && strings.EqualFold(args[0], "host")
	case "req.ssl_sni", "req_ssl_sni":
		return true
	}
	return false
}

func (k *checker) backend(b *Backend) {
	if len(b.Servers) == 0 && !k.elsewhere(b) {
		k.problems.Warnf(b.Pos, "%s has no 'server': every connection to it fails", b.Title())
	}
	if !b.Listen { // the ACLs and rules of a listen are also its frontend's, and are checked there
		k.conditions(b.Title(), b.ACLs, b.HTTPSettings.conds())
		for _, a := range b.ACLs {
			k.suffix(b.Title(), a)
		}
		k.finals(b.Title(), "http-request", b.HTTPRequest)
		k.finals(b.Title(), "http-response", b.HTTPResponse)
		k.framing(b.Title(), &b.HTTPSettings)
	}
	seen := make(map[string]*Server)
	for _, s := range b.Servers {
		if first := seen[s.Name]; first != nil {
			k.problems.Errorf(s.Pos, "'server %s' in %s: the server at %s has this name, wanted another", s.Name, b.Title(), first.Pos)
			continue
		}
		seen[s.Name] = s
	}
	if b.HTTPCheck != nil && len(b.Servers) > 0 && !b.checks() {
		k.problems.Warnf(b.HTTPCheck.Pos, "'option httpchk' in %s checks nothing: no server has 'check'", b.Title())
	}
}

// elsewhere reports whether a listen section uses another backend as its default. It then needs no
// server.
func (k *checker) elsewhere(b *Backend) bool {
	f := k.fronts[b.Name]
	return b.Listen && f != nil && f.DefaultBackend != b.Name
}

func (b *Backend) checks() bool {
	return slices.ContainsFunc(b.Servers, func(s *Server) bool { return s.Check })
}
