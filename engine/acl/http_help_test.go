package acl

import (
	"net/netip"
	"testing"
	"time"

	"sluice/conf"
)

// frontHTTP compiles a frontend in mode http with these lines.
func frontHTTP(t testing.TB, lines string) (*Program, conf.Problems) {
	t.Helper()
	text := "defaults\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\nfrontend f\n bind 127.0.0.1:80\n default_backend b\n" +
		lines + "\nbackend b\n server s 127.0.0.1:81\n"
	c, problems := conf.ParseString("x.cfg", text)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return Compile(conf.Disk{}, c, c.Frontends[0])
}

func http(t testing.TB, lines string) *Program {
	t.Helper()
	p, problems := frontHTTP(t, lines)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

// lines are the field lines of an answer: names and values alternate.
type lines [][]byte

func (l lines) Next(at int) (name, value []byte, next int) {
	if at == len(l) {
		return nil, nil, 0
	}
	return l[at], l[at+1], at + 2
}

// final sets all facts that a format can write.
func final(f *Facts) *Facts {
	f.Final = true
	if f.Sniff != nil {
		f.Line = LineOf(&f.Sniff.HTTP)
	}
	f.Src, f.Dst = netip.MustParseAddrPort("127.0.0.1:4660"), netip.MustParseAddrPort("[::ffff:10.1.2.3]:80")
	f.ServerAddr, f.SourceAddr = netip.MustParseAddrPort("[2001:db8::1]:8080"), netip.MustParseAddrPort("10.9.8.7:65535")
	f.Frontend, f.Backend, f.Server = "web", "app", "a1"
	f.Accepted = time.Date(2026, 11, 22, 18, 43, 15, 7e6, time.FixedZone("", 3600))
	return f
}

// answer returns the facts of an answer.
func answer(status int, fields ...string) *Facts {
	var all lines
	for _, f := range fields {
		all = append(all, []byte(f))
	}
	return final(&Facts{Response: &Response{Status: status, Line: []byte("HTTP/1.1 200 OK"), Fields: all}})
}

// setHeader compiles the value of a set-header rule.
func setHeader(t testing.TB, word, format string) *Value {
	t.Helper()
	p := http(t, word+` set-header x "`+format+`"`)
	if word == "http-response" {
		return p.Response.At(0).Value
	}
	return p.Request.At(0).Value
}
