package conf

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/conf/haproxy"
)

// TestRandomConfigurationsSurviveWriteTOML makes random haproxy.cfg files from all directives,
// writes them as TOML and compares. rapid prints its seed on a failure.
func TestRandomConfigurationsSurviveWriteTOML(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := randomCfg(t)
		cfg, problems := ParseString("random.cfg", text)
		if err := problems.Err(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		roundTrip(t, cfg)
	})
}

// maker writes the lines of a configuration with random values from rapid.
type maker struct {
	t    *rapid.T
	b    strings.Builder
	port int
}

func (m *maker) line(words ...string) {
	m.b.WriteString("  " + haproxy.Join(words) + "\n")
}

func (m *maker) one(of ...string) string { return rapid.SampledFrom(of).Draw(m.t, "one") }

func (m *maker) maybe() bool { return rapid.Bool().Draw(m.t, "maybe") }

func (m *maker) times(most int) int { return rapid.IntRange(0, most).Draw(m.t, "times") }

func (m *maker) number() string { return fmt.Sprint(rapid.IntRange(1, 1<<20).Draw(m.t, "number")) }

func (m *maker) time() string {
	return fmt.Sprintf("%d%s", rapid.IntRange(1, 24).Draw(m.t, "time"), m.one("us", "ms", "s", "m", "h", "d", ""))
}

// text returns a random word, which may be invalid UTF-8.
func (m *maker) text() string {
	return rapid.OneOf(
		rapid.StringMatching(`[a-z.*/$'"\\ #{},()!%|-]{1,8}`),
		rapid.Custom(func(t *rapid.T) string {
			return string(rapid.SliceOfN(rapid.ByteRange(1, 255), 1, 4).Draw(t, "bytes"))
		}),
	).Draw(m.t, "text")
}

// freshPort returns a new port each time, so that no address is bound twice.
func (m *maker) freshPort() string {
	m.port++
	return fmt.Sprint(m.port)
}

func (m *maker) test() []string {
	w := []string{m.one("src", "hdr(host)", "req.ssl_sni,lower", "hdr(x,-1),field(1,:),lower", "url_beg",
		`regsub("a)b","\1 \\",g)`, `concat("")`, `x(,)`, `y(,a)`)}
	if m.maybe() {
		w = append(w, "-i")
	}
	if m.maybe() {
		w = append(w, "-m", m.one(matchers...))
	}
	if m.maybe() {
		w = append(w, "-f", "/etc/"+m.text())
	}
	w = append(w, "--")
	for range m.times(3) {
		if text := m.text(); text != "}" {
			w = append(w, text)
		}
	}
	return w
}

func (m *maker) cond() []string {
	if m.maybe() {
		return nil
	}
	w := []string{m.one("if", "unless")}
	for i := range m.times(3) + 1 {
		if i > 0 && m.maybe() {
			w = append(w, m.one("||", "or"))
		}
		switch m.times(3) {
		case 0:
			w = append(w, m.one("TRUE", "!LOCALHOST", "!!FALSE"))
		case 1:
			w = append(w, "!", "HTTP")
		default:
			w = append(w, m.one("!", "TRUE"), "{")
			w = append(append(w, m.test()...), "}")
		}
	}
	return w
}

func (m *maker) log() {
	w := []string{"log", m.one("127.0.0.1", "[::1]:99", "/dev/log", "stdout", "stderr", "file@/var/log/a b.log", "loghost:1514")}
	if m.maybe() {
		w = append(w, "len", m.one("80", "4096"), "format", m.one(formats...))
	}
	w = append(w, m.one(facilities...))
	if m.maybe() {
		w = append(w, m.one(levels...))
	}
	m.line(w...)
}

func (m *maker) common() {
	if m.maybe() {
		m.line("mode", m.one("tcp", "http"))
	}
	for range m.times(2) {
		m.log()
	}
	if m.maybe() {
		m.line("log", "global")
	}
	if m.maybe() {
		m.line("option", "forwardfor", "except", m.one("10.0.0.0/8", "::1", "1.2.3.4"))
	}
	if m.maybe() {
		m.line("option", m.one("httpclose", "http-server-close", "http-keep-alive"))
	}
	if m.maybe() {
		m.line(m.one("errorfile", "errorloc"), m.one("503", "429"), m.one("/dev/null"))
	}
}

func (m *maker) frontWords() {
	for range m.times(3) {
		m.line("timeout", m.one("client", "client-fin", "http-request", "http-keep-alive"), m.time())
	}
	for range m.times(2) {
		m.line(m.one("maxconn", "backlog"), m.number())
	}
	for range m.times(3) {
		m.b.WriteString(m.one("", "no "))
		m.line("option", m.one("tcplog", "httplog", "dontlognull", "dontlog-normal", "log-separate-errors", "http-ignore-probes", "tcp-smart-accept"))
	}
	if m.maybe() {
		m.line("log-format", m.one("json", "%ci:%cp [%t]  %%", "%{+Q}o %B %[src]"))
	}
}

func (m *maker) backWords() {
	for range m.times(3) {
		m.line("timeout", m.one("connect", "server", "server-fin", "tunnel", "check", "queue"), m.time())
	}
	if m.maybe() {
		m.line("retries", m.number()[:1])
	}
	if m.maybe() {
		m.b.WriteString(m.one("", "no "))
		m.line("option", "tcp-smart-connect")
	}
	if m.maybe() {
		m.line("option", "redispatch", m.one("-2", "-1", "0", "1", "3"))
	}
	if m.maybe() {
		m.line("cookie", "C", m.one("insert", "prefix"), "indirect", "domain", ".example.org", "attr", "SameSite=Lax", "maxidle", m.time())
	}
	if m.maybe() {
		m.line("balance", m.one("roundrobin", "leastconn", "random(2)"), m.text())
	}
	if m.maybe() {
		m.line("default-server", "inter", m.time(), "rise", m.number(), m.one("check", "backup", "disabled"))
	}
	if m.maybe() {
		m.line("option", "httpchk", m.one("/", "/a?b=c"))
		m.line("http-check", "send", "meth", "GET", "hdr", "Host", "a", "hdr", "X-A", m.one("a", "b c"), "body", m.one("x", "{ }"))
		m.line("http-check", "expect", m.one("!", "!"), "status", m.one("200", "200,300-399"))
	}
}

func (m *maker) front() {
	m.frontWords()
	for range m.times(3) {
		m.line("bind", m.one("*:", "127.0.0.1:", ":::", "[fe80::1%eth0]:", "localhost:", "/run/a b", "abns@x")+m.freshPort(),
			"maxconn", m.number(), m.one("v4v6", "v6only", "tfo"))
	}
	for range m.times(3) {
		m.line(append([]string{"acl", m.one("a", "b.c", "d:e")}, m.test()...)...)
	}
	for range m.times(3) {
		m.line(append([]string{"tcp-request", m.one("connection", "content"), m.one("accept", "reject")}, m.cond()...)...)
	}
	if m.maybe() {
		m.line("tcp-request", "inspect-delay", m.time())
	}
	m.captures()
}

func (m *maker) back() {
	m.backWords()
	for i := range m.times(3) {
		m.line("server", fmt.Sprint("s", i), m.one("1.2.3.4:5", "[::1]:6", "fe80::1%eth0:7", "name.example:8", "/run/x y"),
			"weight", m.one("0", "1", "256"), m.one("backup", "no-backup"), m.one("check", "no-check"),
			m.one("inter", "fastinter", "downinter"), m.time(), "fall", m.number(), "cookie", m.one("a", "b-c"), m.one("tfo", "no-tfo"))
	}
}

// randomCfg returns a configuration with sections in random order.
func randomCfg(t *rapid.T) string {
	m := &maker{t: t}
	m.b.WriteString("global\n")
	for range m.times(2) {
		m.log()
	}
	m.line("stats", "socket", "/run/a b", "mode", "660", "level", m.one("user", "operator", "admin"))
	for i := range m.times(5) {
		kind := m.one("defaults", "frontend", "backend", "listen")
		fmt.Fprintf(&m.b, "%s p%d\n", kind, i)
		m.common()
		switch kind {
		case "defaults":
			m.frontWords()
			m.backWords()
		case "frontend":
			m.front()
			m.rules()
		case "backend":
			m.back()
			m.rules()
		default:
			m.front()
			m.back()
			m.rules()
		}
	}
	return m.b.String()
}
