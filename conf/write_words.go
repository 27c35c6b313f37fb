package conf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// logLines returns the `log` directives. If the list starts with the targets of the global section,
// one `global` replaces these.
func logLines(targets, global []LogTarget) []string {
	var lines []string
	if n := len(global); n > 0 && len(targets) >= n && slices.EqualFunc(targets[:n], global, sameTarget) {
		lines, targets = append(lines, quote("global")), targets[n:]
	}
	for _, t := range targets {
		lines = append(lines, say(t.words()...))
	}
	return lines
}

func sameTarget(a, b LogTarget) bool {
	a.Pos, b.Pos = Pos{}, Pos{}
	return a == b
}

func (t LogTarget) words() []string {
	w := []string{t.address()}
	if t.Length != defaultLogLength {
		w = append(w, "len", strconv.Itoa(t.Length))
	}
	if t.Format != defaultLogFormat {
		w = append(w, "format", t.Format)
	}
	w = append(w, t.Facility)
	if t.Level != "" {
		w = append(w, t.Level)
	}
	if t.MinLevel != "" {
		w = append(w, t.MinLevel)
	}
	return w
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

func (s StatsSocket) words() []string {
	w := append([]string{s.Address.String()}, accessWords(s.Mode, s.User, s.Group, s.UID, s.GID)...)
	if s.Level != defaultLevel {
		w = append(w, "level", s.Level)
	}
	return w
}

func accessWords(mode uint32, user, group string, uid, gid int) []string {
	var w []string
	if mode != 0 {
		w = append(w, "mode", strconv.FormatUint(uint64(mode), 8))
	}
	if user != "" {
		w = append(w, "user", user)
	}
	if group != "" {
		w = append(w, "group", group)
	}
	if uid >= 0 {
		w = append(w, "uid", strconv.Itoa(uid))
	}
	if gid >= 0 {
		w = append(w, "gid", strconv.Itoa(gid))
	}
	return w
}

func (b Bind) words() []string {
	w := []string{b.Address.String()}
	if b.Name != "" {
		w = append(w, "name", b.Name)
	}
	if b.MaxConn > 0 {
		w = append(w, "maxconn", strconv.Itoa(b.MaxConn))
	}
	if b.Backlog > 0 {
		w = append(w, "backlog", strconv.Itoa(b.Backlog))
	}
	if b.TFO {
		w = append(w, "tfo")
	}
	if b.Address.V4V6 {
		w = append(w, "v4v6")
	}
	if b.Address.V6Only {
		w = append(w, "v6only")
	}
	return append(w, accessWords(b.Mode, b.User, b.Group, b.UID, b.GID)...)
}

func (h *HTTPCheck) words() []string {
	w := []string{"httpchk"}
	if h.Method == defaultMethod && h.URI == "/" && h.Version == defaultVersion && h.Host == "" {
		return w
	}
	w = append(w, h.Method, h.URI, h.Version)
	if h.Host != "" {
		w = append(w, h.Host)
	}
	return w
}

func (f *ForwardFor) words() []string {
	w := []string{"forwardfor"}
	if f.Except.IsValid() {
		w = append(w, "except", f.Except.String())
	}
	if f.Header != "" {
		w = append(w, "header", f.Header)
	}
	if f.IfNone {
		w = append(w, "if-none")
	}
	return w
}

func (c *Cookie) words() []string {
	w := []string{c.Name}
	marks := []struct {
		word string
		on   bool
	}{
		{"rewrite", c.Rewrite}, {"insert", c.Insert}, {"prefix", c.Prefix}, {"indirect", c.Indirect},
		{"nocache", c.NoCache}, {"postonly", c.PostOnly}, {"preserve", c.Preserve},
		{"httponly", c.HTTPOnly}, {"secure", c.Secure},
	}
	for _, m := range marks {
		if m.on {
			w = append(w, m.word)
		}
	}
	for _, d := range c.Domains {
		w = append(w, "domain", d)
	}
	for _, a := range c.Attrs {
		w = append(w, "attr", a)
	}
	if c.MaxIdle > 0 {
		w = append(w, "maxidle", FormatDuration(c.MaxIdle))
	}
	if c.MaxLife > 0 {
		w = append(w, "maxlife", FormatDuration(c.MaxLife))
	}
	return w
}

// inline returns the server as an inline table without default values.
func (s *Server) inline() string {
	parts := []string{"name = " + quote(s.Name), "address = " + quote(s.Address.String())}
	number := func(key string, n, unset int) {
		if n != unset {
			parts = append(parts, fmt.Sprintf("%s = %d", key, n))
		}
	}
	mark := func(key string, on bool) {
		if on {
			parts = append(parts, key+" = true")
		}
	}
	interval := func(key string, d, unset time.Duration) {
		if d != unset {
			parts = append(parts, key+" = "+quote(FormatDuration(d)))
		}
	}
	plain := newServer()
	number("weight", s.Weight, plain.Weight)
	mark("backup", s.Backup)
	mark("disabled", s.Disabled)
	mark("check", s.Check)
	interval("inter", s.Inter, plain.Inter)
	interval("fastinter", s.FastInter, plain.FastInter)
	interval("downinter", s.DownInter, plain.DownInter)
	number("rise", s.Rise, plain.Rise)
	number("fall", s.Fall, plain.Fall)
	if s.Cookie != "" {
		parts = append(parts, "cookie = "+quote(s.Cookie))
	}
	mark("tfo", s.TFO)
	return "{ " + strings.Join(parts, ", ") + " }"
}
