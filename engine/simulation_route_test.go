//go:build simulation

package engine

import (
	"fmt"
	"strings"
	"time"
)

// hostConditions are conditions that hold for one value of the Host field, here %s.test.
var hostConditions = []string{
	"{ hdr(host),host_only %s.test }",
	"{ hdr_beg(host) -i %s.TEST }",
	"{ hdr_dom(host) %s }",
	"{ req.hdr(host) -m beg %s. }",
	"{ hdr_reg(host) ^%s[.]test }",
	"{ base_beg %s.test }",
	"!{ hdr_cnt(host) 0 } { hdr(host) -m sub %s. }",
	"{ always_false } or { hdr(host),lower -m beg %s. }",
}

// routesByHost adds rules that select the backend by the Host field.
func routesByHost(t *turn[*simFront]) {
	f := t.of
	for i, b := range t.scene.backs {
		if !b.http {
			continue
		}
		name := fmt.Sprintf("h%d", i)
		condition := fmt.Sprintf(among(t.Rand, hostConditions...), name)
		if strings.Count(condition, "{") == 1 && condition[0] == '{' && t.once(3) {
			f.say("acl is-%s %s", name, condition[2:len(condition)-2])
			condition = "is-" + name
		}
		f.say("use_backend %s if %s", b.name, condition)
		f.routes = append(f.routes, simRoute{back: b, host: name + ".test"})
	}
}

// noWay removes the default backend, so one host gets no backend.
func noWay(t *turn[*simFront]) {
	f := t.of
	if len(f.routes) == 1 {
		return
	}
	f.routes[0].back = nil
	f.effects = append(f.effects, func(q *asked) {
		if q.Host == f.routes[0].host {
			q.give(503, "")
			q.Expect.Ends = true
		}
	})
}

// noWayForStreams removes the default backend, so streams that match no rule get no backend.
func noWayForStreams(t *turn[*simFront]) {
	if len(t.of.routes) > 1 {
		t.of.routes[0].back = nil
	}
}

// addressRules adds rules that read addresses and have no effect.
func addressRules(t *turn[*simFront]) {
	f := t.of
	f.say("tcp-request connection reject if { dst_port 1 } or { src_port 1 }")
	f.say("tcp-request connection reject if { dst 127.99.0.0/16 } !{ src 127.1.0.0/16 }")
	if f.routes[0].back != nil {
		f.say("use_backend %s if { dst_port 2 } or { dst 127.98.0.0/16 }", f.routes[0].back.name)
	}
}

// routesByBytes adds rules that select the backend by the first bytes of a stream.
func routesByBytes(t *turn[*simFront]) {
	f := t.of
	if f.routes[0].back.greets {
		return
	}
	f.inspect = 5 * time.Second
	if t.once(2) {
		f.inspect = t.timeout()
		f.say("tcp-request inspect-delay %s", milliseconds(f.inspect))
	}
	if t.once(2) {
		f.say("tcp-request content reject if { hdr(host) refused.test } or { req.ssl_sni refused.test }")
		f.routes = append(f.routes, simRoute{host: "refused.test"})
	}
	if t.once(3) {
		f.say("tcp-request content accept if HTTP")
	}
	for i, b := range t.scene.backs {
		if !b.http && !b.greets {
			name := fmt.Sprintf("h%d.test", i)
			f.say("use_backend %s if %s", b.name, fmt.Sprintf(among(t.Rand, byteConditions...), name))
			f.routes = append(f.routes, simRoute{back: b, host: name})
		}
	}
}

// byteConditions are conditions that hold for streams whose head or ClientHello contains a host
// name, here %s.
var byteConditions = []string{
	"{ hdr(host) %[1]s } or { req.ssl_sni %[1]s }",
	"{ req.ssl_sni -i %[1]s } || HTTP { hdr(host),lower %[1]s }",
	"{ req.hdr(host) -m str %[1]s } or { req.ssl_sni -m beg %[1]s } { req.ssl_hello_type 1 }",
}
