package conf

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// logLines returns the `log` directives. If the list starts with the targets of the global section,
// one `log global` replaces these.
func logLines(targets, global []LogTarget) []Line {
	var lines []Line
	add := func(params ...Param) { lines = append(lines, Line{Name: "log", Params: params}) }
	if n := len(global); n > 0 && len(targets) >= n && slices.EqualFunc(targets[:n], global, sameTarget) {
		add(bare("address", "global"))
		targets = targets[n:]
	}
	for _, t := range targets {
		add(t.params()...)
	}
	return lines
}

func sameTarget(a, b LogTarget) bool {
	a.Pos, b.Pos = Pos{}, Pos{}
	return a == b
}

func (t LogTarget) params() []Param {
	p := []Param{
		bare("address", t.address()),
		keyword("len", strconv.Itoa(t.Length)).implied(t.Length == defaultLogLength),
		keyword("format", t.Format).implied(t.Format == defaultLogFormat),
		bare("facility", t.Facility),
	}
	if t.Level != "" {
		p = append(p, bare("level", t.Level))
	}
	if t.MinLevel != "" {
		p = append(p, bare("minlevel", t.MinLevel))
	}
	return p
}

func (t LogTarget) address() string {
	switch t.Kind {
	case LogStdout:
		return "stdout"
	case LogStderr:
		return "stderr"
	case LogFile:
		return "file@" + t.Path
	}
	text := t.Address.String()
	if t.Kind == LogUDP && t.Address.Port == syslogPort {
		text = strings.TrimSuffix(text, ":"+strconv.Itoa(syslogPort))
	}
	return text
}

func (s StatsSocket) params() []Param {
	p := append([]Param{bare("address", s.Address.String())}, accessParams(s.Mode, s.User, s.Group, s.UID, s.GID)...)
	return append(p, keyword("level", s.Level).implied(s.Level == defaultLevel))
}

// paramList collects the parameters of a directive, without those that are not set.
type paramList []Param

func (l *paramList) number(name string, n, unset int) {
	if n != unset {
		*l = append(*l, keyword(name, strconv.Itoa(n)))
	}
}

func (l *paramList) text(name, text string) {
	if text != "" {
		*l = append(*l, keyword(name, text))
	}
}

func (l *paramList) mark(name string, on bool) {
	if on {
		*l = append(*l, keyword(name))
	}
}

// time adds a time. One that is 0 is not set.
func (l *paramList) time(name string, d time.Duration) {
	if d > 0 {
		*l = append(*l, keyword(name, FormatDuration(d)))
	}
}

func accessParams(mode uint32, user, group string, uid, gid int) []Param {
	var l paramList
	if mode != 0 {
		l.text("mode", strconv.FormatUint(uint64(mode), 8))
	}
	l.text("user", user)
	l.text("group", group)
	l.number("uid", uid, -1)
	l.number("gid", gid, -1)
	return l
}

func (b Bind) params() []Param {
	l := paramList{bare("address", b.Address.String())}
	l.text("name", b.Name)
	l.number("maxconn", b.MaxConn, 0)
	l.number("backlog", b.Backlog, 0)
	l.mark("tfo", b.TFO)
	l.mark("v4v6", b.Address.V4V6)
	l.mark("v6only", b.Address.V6Only)
	return append(l, accessParams(b.Mode, b.User, b.Group, b.UID, b.GID)...)
}

func (h *HTTPCheck) params() []Param {
	plain := h.Method == defaultMethod && h.URI == "/" && h.Version == defaultVersion && h.Host == ""
	p := []Param{
		bare("name", "httpchk"),
		bare("method", h.Method).implied(plain),
		bare("uri", h.URI).implied(plain),
		bare("version", h.Version).implied(plain),
	}
	if h.Host != "" {
		p = append(p, bare("host", h.Host))
	}
	return p
}

func (f *ForwardFor) params() []Param {
	l := paramList{bare("name", "forwardfor")}
	if f.Except.IsValid() {
		l.text("except", f.Except.String())
	}
	l.text("header", f.Header)
	l.mark("if-none", f.IfNone)
	return l
}

func (c *Cookie) params() []Param {
	l := paramList{bare("name", c.Name)}
	l.mark("rewrite", c.Rewrite)
	l.mark("insert", c.Insert)
	l.mark("prefix", c.Prefix)
	l.mark("indirect", c.Indirect)
	l.mark("nocache", c.NoCache)
	l.mark("postonly", c.PostOnly)
	l.mark("preserve", c.Preserve)
	l.mark("httponly", c.HTTPOnly)
	l.mark("secure", c.Secure)
	for _, d := range c.Domains {
		l.text("domain", d)
	}
	for _, a := range c.Attrs {
		l.text("attr", a)
	}
	l.time("maxidle", c.MaxIdle)
	l.time("maxlife", c.MaxLife)
	return l
}

func (s *Server) params() []Param {
	l := paramList{bare("name", s.Name), bare("address", s.Address.String())}
	number := func(name string, n, usual int) {
		l = append(l, keyword(name, strconv.Itoa(n)).implied(n == usual))
	}
	usual := newServer()
	number("weight", s.Weight, usual.Weight)
	l.mark("backup", s.Backup)
	l.mark("disabled", s.Disabled)
	l.mark("check", s.Check)
	l = append(l, keyword("inter", FormatDuration(s.Inter)).implied(s.Inter == usual.Inter))
	l.time("fastinter", s.FastInter)
	l.time("downinter", s.DownInter)
	number("rise", s.Rise, usual.Rise)
	number("fall", s.Fall, usual.Fall)
	l.text("cookie", s.Cookie)
	l.mark("tfo", s.TFO)
	return l
}

// inline returns a `server` line as an inline table.
func (l Line) inline() string {
	numbers := []string{"weight", "rise", "fall"}
	var parts []string
	for _, p := range l.Params {
		switch {
		case p.Implied:
		case len(p.Values) == 0:
			parts = append(parts, p.Name+" = true")
		case slices.Contains(numbers, p.Name):
			parts = append(parts, p.Name+" = "+p.Values[0])
		default:
			parts = append(parts, p.Name+" = "+quote(p.Values[0]))
		}
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}
