package conf

import (
	"fmt"
	"strconv"
	"strings"
	"time"
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

// value adds a directive with one value.
func (t *table) value(in scope, name, value string) { t.line(in, name, bare("", value)) }

func (t *table) number(in scope, name string, n, unset int) {
	if n != unset {
		t.value(in, name, strconv.Itoa(n))
	}
}

func (t *table) text(in scope, name, text string) {
	if text != "" {
		t.value(in, name, text)
	}
}

func (t *table) time(in scope, name string, d time.Duration) {
	if d > 0 {
		t.value(in, name, FormatDuration(d))
	}
}

func (t *table) flag(name string, on bool) {
	if on {
		t.line(0, name)
	}
}

func (t *table) option(in scope, on bool, words ...string) {
	if on {
		t.line(in, "option", bare("name", words...))
	}
}

func globalTable(c *Config) *table {
	g, t := &c.Global, &table{kind: "global"}
	t.number(0, "maxconn", g.MaxConn, 0)
	t.number(0, "ulimit-n", g.UlimitN, 0)
	t.flag("strict-limits", g.StrictLimits)
	t.number(0, "nbthread", g.Threads, 0)
	t.number(0, "uid", g.UID, -1)
	t.number(0, "gid", g.GID, -1)
	t.text(0, "user", g.User)
	t.text(0, "group", g.Group)
	t.text(0, "chroot", g.Chroot)
	for _, name := range g.SetCap {
		t.value(0, "setcap", name)
	}
	t.flag("daemon", g.Daemon)
	t.flag("master-worker", g.MasterWorker)
	t.text(0, "pidfile", g.PidFile)
	t.text(0, "log-tag", g.LogTag)
	t.add(0, logLines(g.Log, nil)...)
	for _, s := range g.StatsSockets {
		t.line(0, "stats socket", s.params()...)
	}
	t.time(0, "stats timeout", g.StatsTimeout)
	t.time(0, "hard-stop-after", g.HardStop)
	if g.BufferBudget > 0 {
		t.value(0, "buffer_budget", formatSize(g.BufferBudget))
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
		t.value(inFront, "log-format", jsonFormat)
	}
	if f.Log.Line != nil {
		t.value(inFront, "log-format", f.Log.Line.Text)
	}
	t.number(inFront, "maxconn", f.MaxConn, 0)
	t.number(inFront, "backlog", f.Backlog, 0)
	t.timeouts(inFront, &proxy{front: *f})
	for _, b := range f.Binds {
		t.line(0, "bind", b.params()...)
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
	add := func(what string, rules []Rule) {
		for _, r := range rules {
			t.line(0, "tcp-request", bare("what", what), bare("", append([]string{r.Action.String()}, r.Cond.Words()...)...))
		}
	}
	add("connection", f.Connection)
	if f.InspectDelay > 0 {
		t.line(0, "tcp-request", bare("what", "inspect-delay"), bare("", FormatDuration(f.InspectDelay)))
	}
	add("content", f.Content)
	t.httpRules(&f.HTTPSettings)
	for _, u := range f.UseBackend {
		t.line(0, "use_backend", bare("", append([]string{u.Backend}, u.Cond.Words()...)...))
	}
}

func backTable(c *Config, b *Backend) *table {
	t := &table{kind: "backend", name: b.Name, scope: inBack}
	t.both(c, b.Mode, b.Log.Targets, &b.HTTPSettings)
	if b.Redispatch {
		interval := bare("interval", strconv.Itoa(b.RedispatchEvery)).implied(b.RedispatchEvery == -1)
		t.line(inBack, "option", bare("name", "redispatch"), interval)
	}
	t.option(inBack, b.AllBackups, "allbackups")
	t.option(inBack, b.PretendKeepAlive, "http-pretend-keepalive")
	t.option(inBack, b.Persist, "persist")
	t.option(inBack, b.SmartConnect, "tcp-smart-connect")
	if h := b.HTTPCheck; h != nil {
		t.line(0, "option", h.params()...)
		t.checkLines(h)
	}
	t.line(inBack, "retries", bare("", strconv.Itoa(b.Retries)).implied(b.Retries == defaultRetries))
	t.timeouts(inBack, &proxy{back: *b})
	t.acls(b.ACLs)
	t.httpRules(&b.HTTPSettings)
	plain := b.Balance.Algorithm == defaultBalance && b.Balance.Args == nil
	t.line(0, "balance", bare("", append([]string{b.Balance.Algorithm}, b.Balance.Args...)...).implied(plain))
	if b.Cookie != nil {
		t.line(0, "cookie", b.Cookie.params()...)
	}
	for _, s := range b.Servers {
		t.line(0, "server", s.params()...)
	}
	return t
}

// both adds the settings that frontends and backends have in common.
func (t *table) both(c *Config, mode Mode, targets []LogTarget, h *HTTPSettings) {
	const in = inFront | inBack
	t.line(in, "mode", bare("", mode.String()).implied(mode == TCP))
	t.add(in, logLines(targets, c.Global.Log)...)
	t.option(in, h.Conn != KeepAlive, h.Conn.String())
	if h.ForwardFor != nil {
		t.line(in, "option", h.ForwardFor.params()...)
	}
	for _, e := range h.ErrorFiles {
		t.add(in, e.line())
	}
}

func (t *table) timeouts(in scope, p *proxy) {
	for _, timeout := range timeouts {
		if d := *timeout.field(p); timeout.scope == in && d > 0 {
			t.line(in, "timeout", bare("which", timeout.name), bare("", FormatDuration(d)))
		}
	}
}
