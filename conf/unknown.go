package conf

import (
	"slices"
	"strings"
	"sync"
)

// ignoredWords are directives that cannot change the behaviour here; they are skipped with a
// warning. A star at the end stands for all names with this prefix.
var ignoredWords = []string{
	"ca-base", "crt-base", "ssl-default-*", "ssl-dh-param-file", "ssl-load-extra-*", "ssl-mode-async", "ssl-server-verify",
	"ssl-engine", "ssl-propquery", "ssl-provider*", "ssl-skip-self-issued-ca", "ssl-security-level", "issuers-chain-path",
	"tune.*", "spread-checks", "max-spread-checks", "maxsslconn", "maxsslrate", "maxpipes", "maxcomprate", "maxcompcpuusage",
	"maxzlibmem", "noepoll", "nopoll", "nosplice", "noevports", "nogetaddrinfo", "noreuseport", "node", "set-dumpable",
	"cpu-map", "cpu-policy", "cpu-set", "thread-groups", "thread-group", "thread-hard-limit", "bind-process",
	"numa-cpu-mapping", "quiet", "debug", "zero-warning", "busy-polling", "profiling.*", "expose-experimental-directives",
	"expose-deprecated-directives", "insecure-fork-wanted", "insecure-setuid-wanted", "mworker-max-reloads",
	"h1-case-adjust", "h1-case-adjust-file", "h1-accept-payload-with-any-method", "h2-workaround-bogus-websocket-clients",
	"httpclient.*", "server-state-base", "server-state-file", "log-send-hostname", "pp2-never-send-local", "close-spread-time",
	"grace", "no-memory-trimming", "no-quic", "limited-quic", "unix-bind", "errorfiles", "fullconn", "hash-type",
	"hash-balance-factor", "max-keep-alive-queue",
}

// httpWords are unsupported directives that only mode http uses. A proxy in mode tcp may contain
// them.
var httpWords = []string{
	"compression", "http-after-response", "http-error", "http-send-name-header", "ignore-persist", "force-persist",
	"retry-on", "stats", "unique-id-header", "unique-id-format", "declare",
}

// families are directives that are only meaningful together with the keyword after them.
var families = []string{
	"compression", "filter", "http-after-response", "stats",
	"stick", "tcp-check", "tcp-response",
}

// explanations are for directives that HAProxy removed, or that have a replacement here.
var explanations = map[string]string{
	"appsession":                  "HAProxy 1.6 removed it; 'cookie' or a stick-table keeps a client on its server",
	"block":                       "HAProxy 2.1 removed it for 'http-request deny'",
	"monitor-net":                 "HAProxy removed it; 'tcp-request connection reject' refuses those addresses",
	"reqadd":                      "HAProxy 2.1 removed it for 'http-request add-header'",
	"reqallow":                    "HAProxy 2.1 removed it for 'http-request allow'",
	"reqdel":                      "HAProxy 2.1 removed it for 'http-request del-header'",
	"reqdeny":                     "HAProxy 2.1 removed it for 'http-request deny'",
	"reqrep":                      "HAProxy 2.1 removed it for 'http-request replace-header'",
	"reqtarpit":                   "HAProxy 2.1 removed it for 'http-request tarpit', which is not supported",
	"rspadd":                      "HAProxy 2.1 removed it for 'http-response add-header'",
	"rspdel":                      "HAProxy 2.1 removed it for 'http-response del-header'",
	"rspdeny":                     "HAProxy 2.1 removed it for 'http-response deny'",
	"rsprep":                      "HAProxy 2.1 removed it for 'http-response replace-header'",
	"transparent":                 "connecting to where the client wanted to is not supported; name the servers",
	"dispatch":                    "use one 'server' line",
	"source":                      "the system chooses the source address here",
	"stick":                       "persistence by tables is not known here; remove the line, or keep HAProxy for this proxy",
	"stick-table":                 "persistence by tables is not known here; remove the line, or keep HAProxy for this proxy",
	"use-server":                  "use_backend with a backend for that server does the same",
	"tcp-check":                   "a check connects and says nothing",
	"filter":                      "filters are not known here",
	"tcp-response":                "rules look at what the client sends only",
	"email-alert":                 "a changed server is in the log",
	"load-server-state-from-file": "servers start as the file says",
}

// unknown handles a directive that is not in the table of directives.
func (r *reader) unknown(in scope) {
	word, explanation := r.name, explanations[sensitive(r.name)]
	if slices.Contains(families, word) && len(r.args) > 0 {
		r.name += " " + r.args[0]
	}
	switch {
	case isIgnored(word):
		r.ignore()
	case in != inGlobal && slices.Contains(httpWords, word):
		r.onlyHTTP("")
	case explanation != "":
		r.errorf("not supported; %s", explanation)
	default:
		r.errorf("not supported%s", suggest(word, append(wordNames(in), keysOf(kinds)...), ""))
	}
}

// whyNot returns an explanation or a suggestion for an unknown parameter of a bind or server
// directive.
func whyNot(word string, known []string) string {
	if word == "ssl" {
		return "; TLS is passed through as it is"
	}
	return suggest(word, known, "")
}

// sensitive maps an obsolete case-insensitive directive such as reqideny to its case-sensitive
// form, here reqdeny.
func sensitive(name string) string {
	for _, family := range []string{"req", "rsp"} {
		if rest, ok := strings.CutPrefix(name, family+"i"); ok {
			return family + rest
		}
	}
	return name
}

func isIgnored(name string) bool {
	return slices.ContainsFunc(ignoredWords, func(w string) bool {
		prefix, family := strings.CutSuffix(w, "*")
		return name == w || family && strings.HasPrefix(name, prefix)
	})
}

// ignore warns of a directive that has no effect, once for each section.
func (r *reader) ignore() {
	key := r.where + " " + r.name
	if r.ignored[key] {
		return
	}
	r.ignored[key] = true
	r.warnf("ignored, it has no meaning here")
}

// isDirective reports whether a word starts a known directive of HAProxy, supported or not.
func isDirective(first string) bool {
	return first == "no" || firstWords()[first] || isIgnored(first) || explanations[sensitive(first)] != "" ||
		slices.Contains(httpWords, first) || slices.Contains(families, first)
}

// firstWords holds the first words of all directives in the table.
var firstWords = sync.OnceValue(func() map[string]bool {
	all := make(map[string]bool)
	for _, w := range words {
		first, _, _ := strings.Cut(w.name, " ")
		all[first] = true
	}
	return all
})

// wordNames returns the directives that are allowed in a section.
func wordNames(in scope) []string {
	var names []string
	for _, w := range words {
		if w.scope&in != 0 {
			names = append(names, w.name)
		}
	}
	return names
}
