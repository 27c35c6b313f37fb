package conf

import (
	"slices"
	"testing"
)

// connecting parses a listen section that follows a defaults section. It also checks that WriteTOML
// keeps the settings of both.
func connecting(t *testing.T, defaults, words string) (*Frontend, *Backend, Problems) {
	t.Helper()
	c, problems := ParseString("x.cfg", "defaults\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"+defaults+
		"\nlisten l\n bind 127.0.0.1:80\n"+words+"\n server s 127.0.0.1:81")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	roundTrip(t, c)
	return c.Frontends[0], c.Backends[0], problems
}

func TestSmartAcceptComesWithModeHTTP(t *testing.T) {
	for _, c := range []struct {
		defaults, words string
		want            bool
	}{
		{"", "", false},
		{"", " mode http", true},
		{" mode http", " no option tcp-smart-accept", false},
		{" no option tcp-smart-accept", " mode http", false},
		{" option tcp-smart-accept", "", true},
		{" option tcp-smart-accept", " mode http\n no option tcp-smart-accept", false},
		{" no option tcp-smart-accept", " option tcp-smart-accept", true},
	} {
		f, _, problems := connecting(t, c.defaults, c.words)
		if f.SmartAccept != c.want || len(problems) > 0 {
			t.Errorf("%q, %q: %v, %v; want %v", c.defaults, c.words, f.SmartAccept, problems, c.want)
		}
	}
}

func TestSmartConnect(t *testing.T) {
	for _, c := range []struct {
		defaults, words string
		want            bool
	}{
		{"", " mode http", false},
		{"", " option tcp-smart-connect", true},
		{" option tcp-smart-connect", "", true},
		{" option tcp-smart-connect", " no option tcp-smart-connect", false},
	} {
		_, b, problems := connecting(t, c.defaults, c.words)
		if b.SmartConnect != c.want || len(problems) > 0 {
			t.Errorf("%q, %q: %v, %v; want %v", c.defaults, c.words, b.SmartConnect, problems, c.want)
		}
	}
}

func TestFastOpen(t *testing.T) {
	for _, c := range []struct {
		words        string // directives of the listen section
		bind, server bool
	}{
		{"", false, false},
		{" default-server tfo", false, true},
		{" default-server tfo\n server a 127.0.0.1:82 no-tfo\n bind 127.0.0.1:83 tfo", false, true},
	} {
		f, b, problems := connecting(t, "", c.words)
		last := b.Servers[len(b.Servers)-1]
		if f.Binds[0].TFO != c.bind || last.TFO != c.server || len(problems) > 0 {
			t.Errorf("%q: bind %v, server %v, %v; want %v, %v", c.words, f.Binds[0].TFO, last.TFO, problems, c.bind, c.server)
		}
		if len(f.Binds) > 1 && (!f.Binds[1].TFO || b.Servers[0].TFO) {
			t.Errorf("%q: bind %v, server %v; want true, false", c.words, f.Binds[1].TFO, b.Servers[0].TFO)
		}
	}
}

func TestFastOpenIsForTCP(t *testing.T) {
	f, b, problems := connecting(t, "", " bind /run/a tfo\n server a /run/b tfo")
	if f.Binds[1].TFO || b.Servers[0].TFO {
		t.Errorf("bind %v, server %v; want neither", f.Binds[1].TFO, b.Servers[0].TFO)
	}
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.Text)
	}
	want := []string{
		"'bind' in listen 'l': 'tfo' at /run/a: ignored, it is for addresses with a port",
		"'server a' in listen 'l': 'tfo': ignored, it is for addresses with a port",
	}
	if !slices.Equal(texts, want) {
		t.Errorf("%q; want %q", texts, want)
	}
}

func TestFastOpenInTOML(t *testing.T) {
	c, problems := ParseString("x.toml", `
[defaults]
timeout = { connect = "1s", client = "1s", server = "1s" }
[listen.l]
bind = [{ address = "127.0.0.1:80", tfo = true }]
default_server = { tfo = true }
server = [{ name = "a", address = "127.0.0.1:81" }, { name = "b", address = "127.0.0.1:82", tfo = false }]
`)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if s := c.Backends[0].Servers; !c.Frontends[0].Binds[0].TFO || !s[0].TFO || s[1].TFO {
		t.Errorf("bind %v, servers %v, %v; want true, true, false", c.Frontends[0].Binds[0].TFO, s[0].TFO, s[1].TFO)
	}
}
