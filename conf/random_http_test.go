package conf

// format returns a value in the grammar of log-format. Literal text contains no control characters.
func (m *maker) format() string {
	return m.one("plain", "a  b", "%ci:%cp", `%{+Q,+E}[req.hdr(x),lower]`, "100%%", `%[regsub("a]b",c)]]`, `"\1 \2" %HM`)
}

func (m *maker) captures() {
	for range m.times(2) {
		m.line("capture", m.one("request", "response"), "header", m.one("Host", "X-A"), "len", m.one("1", "80"))
	}
	if m.maybe() {
		m.line("capture", "cookie", m.one("A", "B="), "len", "32")
	}
	if m.maybe() {
		m.line("monitor-uri", m.one("/alive", "*"))
		m.line("monitor", "fail", m.one("if", "unless"), "TRUE")
	}
}

// rules writes http-request, http-response and redirect directives.
func (m *maker) rules() {
	for range m.times(6) {
		words := append([]string{m.one("http-request", "http-response")}, m.edit()...)
		m.line(append(words, m.cond()...)...)
	}
	for range m.times(3) {
		m.line(append(append([]string{"http-request"}, m.target()...), m.cond()...)...)
	}
	if m.maybe() {
		m.line(append([]string{"redirect"}, append(m.redirection(m.one("/100%20", "http://a/ b"), redirectKinds[:]...), m.cond()...)...)...)
	}
}

// edit returns an action that is allowed for requests and for answers.
func (m *maker) edit() []string {
	switch m.times(4) {
	case 0:
		return []string{m.one("set-header", "add-header"), "X-A", m.format()}
	case 1:
		return []string{"del-header", "X-A", "-m", m.one(nameMatches...)}
	case 2:
		return []string{m.one("replace-header", "replace-value"), "X-A", m.one("^(a|b)$", ".*"), m.format()}
	case 3:
		return append([]string{"redirect"}, m.redirection(m.format(), redirectKinds[Location])...)
	}
	return m.answer()
}

// target returns an action that is allowed for requests only.
func (m *maker) target() []string {
	if m.maybe() {
		return []string{m.one("set-method", "set-path", "set-pathq", "set-query", "set-uri"), m.format()}
	}
	return []string{m.one("replace-path", "replace-pathq", "replace-uri"), "^/(.*)", m.format()}
}

func (m *maker) redirection(to string, kinds ...string) []string {
	w := []string{m.one(kinds...), to}
	if m.maybe() {
		w = append(w, "code", m.one(redirectCodes...))
	}
	if m.maybe() {
		w = append(w, m.one("drop-query", "append-slash", "ignore-empty"), m.one("set-cookie", "clear-cookie"), m.one("A", "A=", "A=b c"))
	}
	return w
}

func (m *maker) answer() []string {
	w := []string{m.one("deny", "return")}
	if m.maybe() {
		w = append(w, m.one("status", "deny_status"), m.one(errorStatus...))
	}
	switch m.times(4) {
	case 0:
		return append(w, "default-errorfiles")
	case 1:
		return append(w, "content-type", "text/plain", "string", m.text())
	case 2:
		return append(w, "lf-string", m.format()+"\n", "content-type", "a/b", "hdr", "X-B", m.format())
	case 3:
		return append(w, m.one("file", "errorfile"), "/dev/null")
	}
	return w
}
