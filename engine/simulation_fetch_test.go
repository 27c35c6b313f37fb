//go:build simulation

package engine

// The conditions of this file have no effect. Their rules delete a header that nobody sends, accept
// a connection that is accepted anyway, or never hold. They make the engine evaluate every fetch
// and converter while bytes arrive in pieces, and while other rules edit the head.

// useless is the maximum number of such conditions of a frontend.
const useless = 4

// oddRequests are conditions for requests in mode http.
var oddRequests = []string{
	"{ base -m beg nobody }", "{ url -m end /nobody }", "{ url,upper -m dom nobody }", "{ pathq -m reg ^/nobody[0-9]+$ }",
	"{ query -m found }", "{ url_param(a) -m found } { urlp(b,;) x }", "{ path,field(1,/),length gt 9 }", "{ path -m dir nobody }",
	"{ path,word(2,/) nobody }", "{ req.ver 9.9 } or { req_ver 1.1 }", "{ req.cook(SRV) -m found }", "{ cook_cnt(SRV) gt 1 }",
	"{ req.fhdr(x-list) -m sub nobody }", "{ req.fhdr_cnt(x-list) gt 3 } { req.hdr_cnt(host) 1 }", "{ hdr_val(x-fill) 7 }",
	"{ req.hdr_val(content-length) gt 100 }", "{ hdr(host),host_only,lower -m end nobody } or { hdr(host),port_only 9 }",
	"{ src_port lt 1024 } { dst 127.0.0.0/8 }", "{ ssl_fc } or { req.ssl_ver gt 0 }", "{ method PATCH POST }",
}

// oddAnswers are conditions for answers.
var oddAnswers = []string{
	"{ res.ver 1.0 } { status 100:199 }", "{ resp_ver 9.9 }", "{ res.fhdr(x-number) nobody }", "{ res.fhdr_cnt(set-cookie) gt 3 }",
	"{ shdr(x-server),upper NOBODY }", "{ shdr_cnt(x-number) 1 } { res.hdr_cnt(via) 1 }", "{ res.hdr_val(content-length) gt 5 }",
	"{ shdr_val(age) 1 }", "{ res.cook(SRV) -m found }", "{ scook(SRV) nobody }",
}

// oddBytes are conditions for the first bytes in mode tcp.
var oddBytes = []string{
	"{ req.len lt 1 }", "{ req_len gt 100000 }", "{ req.proto_http } { path -m beg /nobody }", "{ req_proto_http } { method PATCH }",
	"{ req.ssl_ver gt 9 }", "{ req_ssl_hello_type 7 }", "{ req.ssl_alpn nobody }", "{ req_ssl_sni -m end nobody }", "{ src_port 1 }",
	"WAIT_END { path /nobody }", "{ hdr_cnt(host) gt 7 }",
}

// oddities adds rules with conditions of this file to a frontend in mode http.
func oddities(t *turn[*simFront]) {
	for range 1 + t.IntN(useless) {
		t.of.say("http-request del-header X-Nobody if %s", among(t.Rand, oddRequests...))
	}
	for range t.IntN(useless) {
		t.of.say("http-response del-header X-Nobody if %s", among(t.Rand, oddAnswers...))
	}
}

// byteOddities adds rules with conditions of this file to a frontend in mode tcp whose rules wait
// for bytes.
func byteOddities(t *turn[*simFront]) {
	if t.of.inspect == 0 {
		return
	}
	for range 1 + t.IntN(useless) {
		t.of.say("use_backend %s if %s never", t.of.routes[0].back.name, among(t.Rand, oddBytes...))
	}
	t.of.say("acl never always_false")
}
