package conf

import "sync"

// word is one directive: the sections in which it is allowed, its TOML form and its parse function.
// Its name has one word or two ("stats socket").
type word struct {
	name  string
	scope scope
	shape shape
	parse func(*reader)
}

// shape is the TOML form of the arguments of a directive.
type shape uint8

const (
	notTOML    shape = iota // an obsolete directive: TOML has only its replacement
	wholeLine               // a string in HAProxy's grammar
	manyLines               // a list of such strings, or of inline tables
	verbatim                // a string that is a single argument
	integer                 // an integer
	boolean                 // a boolean
	dictionary              // a table of keywords with strings
)

// words are all supported directives, in the order in which WriteTOML writes them. HAProxy's
// configuration.txt (3 and 4.2) defines them.
var words = []word{
	{"maxconn", inGlobal, integer, (*reader).globalMaxConn},
	{"ulimit-n", inGlobal, integer, (*reader).ulimitN},
	{"strict-limits", inGlobal, boolean, (*reader).strictLimits},
	{"nbthread", inGlobal, integer, (*reader).nbthread},
	{"nbproc", inGlobal, notTOML, (*reader).nbproc},
	{"uid", inGlobal, integer, (*reader).uid},
	{"gid", inGlobal, integer, (*reader).gid},
	{"user", inGlobal, verbatim, (*reader).user},
	{"group", inGlobal, verbatim, (*reader).group},
	{"chroot", inGlobal, verbatim, (*reader).chroot},
	{"setcap", inGlobal, manyLines, (*reader).setcap},
	{"daemon", inGlobal, boolean, (*reader).daemon},
	{"master-worker", inGlobal, boolean, (*reader).masterWorker},
	{"pidfile", inGlobal, verbatim, (*reader).pidfile},
	{"log", inGlobal, manyLines, (*reader).globalLog},
	{"log-tag", inGlobal, verbatim, (*reader).logTag},
	{"stats socket", inGlobal, manyLines, (*reader).statsSocket},
	{"stats timeout", inGlobal, verbatim, (*reader).statsTimeout},
	{"hard-stop-after", inGlobal, verbatim, (*reader).hardStop},
	{"stats maxconn", inGlobal, notTOML, (*reader).ignore},
	{"buffer_budget", inGlobal, verbatim, (*reader).bufferBudget},

	{"description", inGlobal | inProxies, verbatim, (*reader).remark},
	{"enabled", inProxies, notTOML, (*reader).remark},
	{"id", inFront | inBack, integer, (*reader).remark},
	{"mode", inProxies, verbatim, (*reader).mode},
	{"bind", inFront, manyLines, (*reader).bind},
	{"log", inProxies, manyLines, (*reader).proxyLog},
	{"option", inProxies, manyLines, (*reader).option},
	{"maxconn", inDefaults | inFront, integer, (*reader).frontMaxConn},
	{"backlog", inDefaults | inFront, integer, (*reader).backlog},
	{"timeout", inProxies, dictionary, (*reader).timeout},
	{"contimeout", inProxies, notTOML, oldTimeout("connect")},
	{"clitimeout", inProxies, notTOML, oldTimeout("client")},
	{"srvtimeout", inProxies, notTOML, oldTimeout("server")},
	{"log-format", inDefaults | inFront, verbatim, (*reader).logLine},
	{"errorfile", inProxies, manyLines, (*reader).errorFile},
	{"errorloc", inProxies, notTOML, errorLoc(302)},
	{"errorloc302", inProxies, manyLines, errorLoc(302)},
	{"errorloc303", inProxies, manyLines, errorLoc(303)},
	{"capture", inFront, manyLines, (*reader).capture},
	{"monitor-uri", inDefaults | inFront, verbatim, (*reader).monitorURI},
	{"acl", inFront | inBack, manyLines, (*reader).acl},
	{"monitor", inFront, manyLines, (*reader).monitor},
	{"tcp-request", inFront, manyLines, (*reader).tcpRequest},
	{"http-request", inFront | inBack, manyLines, (*reader).httpRequest},
	{"redirect", inFront | inBack, manyLines, (*reader).redirect},
	{"http-response", inFront | inBack, manyLines, (*reader).httpResponse},
	{"use_backend", inFront, manyLines, (*reader).useBackend},
	{"default_backend", inDefaults | inFront, verbatim, (*reader).defaultBackend},
	{"balance", inDefaults | inBack, wholeLine, (*reader).balance},
	{"cookie", inDefaults | inBack, wholeLine, (*reader).cookie},
	{"http-check", inDefaults | inBack, manyLines, (*reader).httpCheckLine},
	{"http-reuse", inDefaults | inBack, notTOML, (*reader).httpReuse},
	{"retries", inDefaults | inBack, integer, (*reader).retries},
	{"redispatch", inDefaults | inBack, notTOML, (*reader).oldRedispatch},
	{"default-server", inDefaults | inBack, manyLines, (*reader).defaultServer},
	{"server", inBack, manyLines, (*reader).server},
}

// httpModeWords are the supported directives that need mode http.
var httpModeWords = []string{
	"cookie", "errorfile", "errorloc", "errorloc302", "errorloc303", "capture", "monitor-uri", "monitor", "http-request", "redirect",
	"http-response", "http-reuse",
}

// wordsByName maps a name to its directives. `log` and `maxconn` have another meaning in global
// than in a proxy.
var wordsByName = sync.OnceValue(func() map[string][]*word {
	byName := make(map[string][]*word, len(words))
	for i := range words {
		w := &words[i]
		byName[w.name] = append(byName[w.name], w)
	}
	return byName
})

// wordFor returns the directive of that name for a section. If there is none, it returns the
// directive of another kind of section, and fits is false.
func wordFor(name string, in scope) (w *word, fits bool) {
	for _, w = range wordsByName()[name] {
		if w.scope&in != 0 {
			return w, true
		}
	}
	return w, false
}
