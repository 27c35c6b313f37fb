package conf

import (
	"fmt"
	"strconv"
	"strings"

	"sluice/conf/haproxy"
)

// quote returns a TOML string. It is a literal string if that avoids escapes, otherwise a basic
// string.
func quote(text string) string {
	if strings.ContainsAny(text, `"\`) && !strings.ContainsFunc(text, func(r rune) bool { return r == '\'' || r < ' ' || r == 0x7f }) {
		return "'" + text + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// say returns words as one TOML string in HAProxy's grammar.
func say(words ...string) string { return quote(haproxy.Join(words)) }

func (t *table) number(in scope, key string, n, unset int) {
	if n != unset {
		t.add(in, key, "", strconv.Itoa(n))
	}
}

func (t *table) text(in scope, key, text string) {
	if text != "" {
		t.add(in, key, "", quote(text))
	}
}

func (t *table) flag(key string, on bool) {
	if on {
		t.add(0, key, "", "true")
	}
}

func (t *table) option(in scope, on bool, words ...string) {
	if on {
		t.add(in, "option", words[0], say(words...))
	}
}

func globalTable(c *Config) *table {
	g, t := &c.Global, &table{kind: "global"}
	t.number(0, "maxconn", g.MaxConn, 0)
	t.number(0, "ulimit_n", g.UlimitN, 0)
	t.flag("strict_limits", g.StrictLimits)
	t.number(0, "nbthread", g.Threads, 0)
	t.number(0, "uid", g.UID, -1)
	t.number(0, "gid", g.GID, -1)
	t.text(0, "user", g.User)
	t.text(0, "group", g.Group)
	t.text(0, "chroot", g.Chroot)
	t.flag("daemon", g.Daemon)
	t.text(0, "pidfile", g.PidFile)
	t.text(0, "log_tag", g.LogTag)
	t.add(0, "log", "", logLines(g.Log, nil)...)
	for _, s := range g.StatsSockets {
		t.add(0, "stats_socket", "", say(s.words()...))
	}
	if g.StatsTimeout > 0 {
		t.text(0, "stats_timeout", FormatDuration(g.StatsTimeout))
	}
	if g.BufferBudget > 0 {
		t.text(0, "buffer_budget", formatSize(g.BufferBudget))
	}
	return t
}

func frontTable(c *Config, f *Frontend) *table {
	t := &table{kind: "frontend", name: f.Name, scope: inFront}
	if f.Listen {
		t.kind = "listen"
	}
	t.both(c, f.Mode, f.Log.Targets, &f.HTTPSettings)
	t.option(inFront, f.Log.Format == LogTCP, "tcplog")
	t.option(inFront, f.Log.Format == LogHTTP, "httplog")
	t.option(inFront, f.Log.DontLogNull, "dontlognull")
	t.option(inFront, f.Log.DontLogNormal, "dontlog-normal")
	t.option(inFront, f.Log.SeparateErrors, "log-separate-errors")
	t.option(inFront, f.IgnoreProbes, "http-ignore-probes")
	t.option(inFront, f.SmartAccept && f.Mode == TCP, "tcp-smart-accept")
	t.option(inFront, !f.SmartAccept && f.Mode == HTTP, "no", "tcp-smart-accept")
	if f.Log.Format == LogJSON {
		t.text(inFront, "log_format", jsonFormat)
	}
	if f.Log.Line != nil {
		t.add(inFront, "log_format", "", quote(f.Log.Line.Text))
	}
	t.number(inFront, "maxconn", f.MaxConn, 0)
	t.number(inFront, "backlog", f.Backlog, 0)
	t.timeouts(inFront, &proxy{front: *f})
	for _, b := range f.Binds {
		t.add(0, "bind", "", say(b.words()...))
	}
	t.acls(f.ACLs)
	t.captures(&f.Captures)
	t.monitor(&f.Monitor)
	t.rules(f)
	if !f.Listen || f.DefaultBackend != f.Name {
		t.text(0, "default_backend", f.DefaultBackend)
	}
	return t
}

// rules adds the rules for connections, in the order of evaluation.
func (t *table) rules(f *Frontend) {
	for _, r := range f.Connection {
		t.add(0, "tcp_request", "", say(append([]string{"connection", r.Action.String()}, r.Cond.Words()...)...))
	}
	if f.InspectDelay > 0 {
		t.add(0, "tcp_request", "", say("inspect-delay", FormatDuration(f.InspectDelay)))
	}
	for _, r := range f.Content {
		t.add(0, "tcp_request", "", say(append([]string{"content", r.Action.String()}, r.Cond.Words()...)...))
	}
	t.httpRules(&f.HTTPSettings)
	for _, u := range f.UseBackend {
		t.add(0, "use_backend", "", say(append([]string{u.Backend}, u.Cond.Words()...)...))
	}
}

func backTable(c *Config, b *Backend) *table {
	t := &table{kind: "backend", name: b.Name, scope: inBack}
	t.both(c, b.Mode, b.Log.Targets, &b.HTTPSettings)
	t.option(inBack, b.Redispatch && b.RedispatchEvery == -1, "redispatch")
	t.option(inBack, b.Redispatch && b.RedispatchEvery != -1, "redispatch", strconv.Itoa(b.RedispatchEvery))
	t.option(inBack, b.AllBackups, "allbackups")
	t.option(inBack, b.PretendKeepAlive, "http-pretend-keepalive")
	t.option(inBack, b.Persist, "persist")
	t.option(inBack, b.SmartConnect, "tcp-smart-connect")
	if h := b.HTTPCheck; h != nil {
		t.option(0, true, h.words()...)
		t.checkLines(h)
	}
	t.number(inBack, "retries", b.Retries, defaultRetries)
	t.timeouts(inBack, &proxy{back: *b})
	t.acls(b.ACLs)
	t.httpRules(&b.HTTPSettings)
	if b.Balance.Algorithm != defaultBalance || b.Balance.Args != nil {
		t.add(0, "balance", "", say(append([]string{b.Balance.Algorithm}, b.Balance.Args...)...))
	}
	if b.Cookie != nil {
		t.add(0, "cookie", "", say(b.Cookie.words()...))
	}
	for _, s := range b.Servers {
		t.add(0, "server", "", s.inline())
	}
	return t
}

// both adds the settings that frontends and backends have in common.
func (t *table) both(c *Config, mode Mode, targets []LogTarget, h *HTTPSettings) {
	const in = inFront | inBack
	if mode != TCP {
		t.text(in, "mode", mode.String())
	}
	t.add(in, "log", "", logLines(targets, c.Global.Log)...)
	t.option(in, h.Conn != KeepAlive, h.Conn.String())
	if h.ForwardFor != nil {
		t.option(in, true, h.ForwardFor.words()...)
	}
	for _, e := range h.ErrorFiles {
		t.add(in, e.key(), strconv.Itoa(e.Status), say(e.words()...))
	}
}

func (t *table) timeouts(in scope, p *proxy) {
	for _, timeout := range timeouts {
		if d := *timeout.field(p); timeout.scope == in && d > 0 {
			t.add(in, "timeout", timeout.name, tomlKey(timeout.name)+" = "+quote(FormatDuration(d)))
		}
	}
}
