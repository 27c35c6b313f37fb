//go:build simulation

package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"sluice/engine/actor"
)

// webRule is a rule of a proxy in mode http. Its condition {if} holds for messages with a field
// (frontMark or backMark) whose value is the rule's name. So it changes no other messages.
type webRule struct {
	name  string
	lines string
	apply func(q *asked)
}

// asked is a request whose plan is changed by the configuration and its rules.
type asked struct {
	*actor.WebRequest
	front string
	pages bool // see simFront.pages
	back  string
	terms map[int]string // termination states, see scene.terms
}

// requestRules are rules for requests. None redirects with status 302 or 303: these statuses are
// reserved for errorloc.
var requestRules = []webRule{
	{"deny", "http-request deny {if}", gives(403)},
	{"deny-status", "http-request deny deny_status 429 {if}", gives(429)},
	{"deny-text", `http-request deny status 410 content-type text/plain string "gone away" hdr X-Own deny {if}`, func(q *asked) {
		q.give(410, "gone away")
		q.gains("X-Own: deny", "content-type: text/plain")
	}},
	{"return", `http-request return status 200 content-type text/plain lf-string "%[method] %[req.hdr(x-number)]" hdr X-Own "%f" {if}`, func(q *asked) {
		q.give(200, fmt.Sprint(q.Method, " ", q.Number))
		q.gains("X-Own: " + q.front)
	}},
	{"return-empty", "http-request return status 204 {if}", gives(204)},
	{"return-page", "http-request return status 404 default-errorfiles {if}", gives(404)},
	{"location", "http-request redirect location /moved/%[path] code 307 {if}", func(q *asked) {
		q.give(307, "")
		q.Expect.Location = "/moved/" + q.way()
	}},
	{"prefix", "http-request redirect prefix https://x.test drop-query code 301 {if}", func(q *asked) {
		q.give(301, "")
		q.Expect.Location = "https://x.test" + q.way()
	}},
	{"scheme", "http-request redirect scheme https append-slash code 308 set-cookie SEEN=1 {if}", func(q *asked) {
		q.give(308, "")
		q.Expect.Location = "https://" + q.Host + q.way() + "/"
		q.gains("set-cookie: SEEN=1; path=/;")
	}},
	{"ignore-empty", "http-request redirect location %[req.hdr(x-none)] ignore-empty {if}", func(*asked) {}},
	{"redirect", "redirect location /old code 301 {if}", func(q *asked) {
		q.give(301, "")
		q.Expect.Location = "/old"
	}},
	{"allow", "http-request allow {if}\nhttp-request deny {if}", func(*asked) {}},
	{"set-header", `http-request set-header X-Set "set-%[method]" {if}`, func(q *asked) {
		q.adds("X-Set: from the client")
		q.has("X-Set: set-" + q.Method)
	}},
	{"add-header", "http-request add-header X-Add %[req.hdr(x-old),lower] {if}", func(q *asked) {
		q.adds("X-Old: OLD")
		q.has("X-Old: OLD", "X-Add: old")
	}},
	{"del-header", "http-request del-header X-Secret {if}", func(q *asked) {
		q.adds("X-Secret: 1")
		q.lacks("X-Secret")
	}},
	{"del-beginning", "http-request del-header x-sect -m beg {if}", func(q *asked) {
		q.adds("X-Sector: 1", "X-Section: 2")
		q.lacks("X-Sector", "X-Section")
	}},
	{"replace-header", `http-request replace-header X-Replace "(.*),(.*)" "\2;\1" {if}`, func(q *asked) {
		q.adds("X-Replace: a,b")
		q.has("X-Replace: b;a")
	}},
	{"replace-value", `http-request replace-value X-List "a(.)" "b\1" {if}`, func(q *asked) {
		q.adds("X-List: a1, c2")
		q.has("X-List: b1, c2")
	}},
	{"set-path", `http-request set-path "/set%[path]" {if}`, goesTo("/set")},
	{"set-pathq", `http-request set-pathq "/set%[path]" {if}`, goesTo("/set")},
	{"set-uri", `http-request set-uri "/uri%[path]" {if}`, goesTo("/uri")},
	{"replace-path", `http-request replace-path "^/(.*)" "/r/\1" {if}`, goesTo("/r")},
	{"replace-pathq", `http-request replace-pathq "^/(.*)" "/r/\1" {if}`, goesTo("/r")},
	{"replace-uri", `http-request replace-uri "^[^/]*(//[^/]*)?/(.*)" "/r/\2" {if}`, goesTo("/r")},
	{"set-query", `http-request set-query "m=%[method]" {if}`, func(q *asked) { q.Expect.Query = "?m=" + q.Method }},
	{"set-method", "http-request set-method PATCH {if}", func(q *asked) {
		q.Expect.Method, q.Expect.Frees = "PATCH", true
	}},
	{"empty-path", "http-request set-path %[req.hdr(x-none)] {if}", func(q *asked) {
		q.give(500, "")
		q.Expect.Ends, q.Odd = true, "" // a target with a host is valid without a path, so the rule would not fail
	}},
}

// rulesForAll are rules without a condition: the balancer evaluates several of them before it reads
// the head again.
func rulesForAll(t *turn[*simFront]) {
	t.of.say(`http-request set-header X-One "one-%%[method]"`)
	t.of.say(`http-request add-header X-Two "two-%%[req.hdr(x-number)]"`)
	t.of.say(`http-response set-header X-Three "three-%%[res.hdr(x-number)]"`)
	t.of.say(`http-response add-header X-Four "four-%%[res.hdr(x-number)]"`)
	t.of.effects = append(t.of.effects, func(q *asked) {
		q.has("X-One: one-"+q.Method, fmt.Sprint("X-Two: two-", q.Number))
		q.gains(fmt.Sprint("X-Three: three-", q.Number), fmt.Sprint("X-Four: four-", q.Number))
	})
}

// hostRule changes the field that selects the backend, so only backends have this rule.
var hostRule = webRule{"host", "http-request set-header Host other.test {if}", func(q *asked) {
	q.Expect.Host, q.Odd = "other.test", "" // a target with a host would contradict the new Host field
}}

// answerRules are rules for answers.
var answerRules = []webRule{
	{"deny", "http-response deny {if}", func(q *asked) {
		q.replace(502)
		q.Expect.Ends = q.Expect.Ends || q.pages
	}},
	{"return", "http-response return status 201 {if}", replaces(201)},
	{"location", "http-response redirect location /instead code 307 {if}", func(q *asked) {
		q.replace(307)
		q.Expect.Location = "/instead"
	}},
	{"allow", "http-response allow {if}\nhttp-response deny {if}", func(*asked) {}},
	{"set-header", `http-response set-header X-Said "%[status]" {if}`, func(q *asked) {
		q.gains(fmt.Sprint("X-Said: ", q.WebRequest.Answer.Status))
	}},
	{"add-header", "http-response add-header X-Via %b {if}", func(q *asked) { q.gains("X-Via: " + q.back) }},
	{"del-header", "http-response del-header X-Hidden {if}", func(q *asked) {
		q.says("X-Hidden: 1")
		q.loses("X-Hidden")
	}},
	{"replace-header", `http-response replace-header X-Turn "(.)(.)" "\2\1" {if}`, func(q *asked) {
		q.says("X-Turn: ab")
		q.gains("X-Turn: ba")
	}},
	{"replace-value", `http-response replace-value X-List "a(.)" "b\1" {if}`, func(q *asked) {
		q.says("X-List: a1,c2")
		q.gains("X-List: b1,c2")
	}},
	{"set-status", "http-response set-status 418 reason Teapot {if}", func(q *asked) { q.Expect.Status = 418 }},
	{"no-content", "http-response set-status 204 {if}", func(q *asked) {
		q.Expect.Status = 204
		if a := &q.WebRequest.Answer; q.Method != "HEAD" && (a.Framing != actor.ByLength || a.Body > 0) {
			q.Expect.Frees = true // the body of the server's answer may remain on its connection
			a.Piece, a.Pause = max(a.Piece, 40), time.Millisecond
		}
		q.WebRequest.Answer.Fault, q.WebRequest.Answer.Early = actor.Fair, -1 // the client gets no body, so faults within it have no visible effect
		q.WebRequest.Answer.Bad, q.WebRequest.Answer.Blind = "", false
	}},
}

// edits reports whether the rule changes nothing but fields that no other rule reads.
func (r *webRule) edits() bool {
	return strings.HasSuffix(r.name, "-header") || strings.HasSuffix(r.name, "-value") || r.name == "del-beginning"
}

// withOthers returns the rule, and some of the other rules if it and they edit fields.
func (r *webRule) withOthers(random *rand.Rand, rules []*webRule) []*webRule {
	all := []*webRule{r}
	for _, one := range rules {
		if r.edits() && one != nil && one != r && one.edits() && random.IntN(2) == 0 {
			all = append(all, one)
		}
	}
	return all
}

// write returns the configuration lines of a rule, with its condition.
func (r *webRule) write(condition string) []string {
	return strings.Split(strings.ReplaceAll(r.lines, "{if}", condition), "\n")
}

// term returns the termination state of a request that the rule answers. phase is the second
// letter.
func (r *webRule) term(phase byte) string {
	if strings.HasPrefix(r.name, "deny") || r.name == "empty-path" {
		return string([]byte{'P', phase})
	}
	return string([]byte{'L', phase})
}

func gives(status int) func(*asked) { return func(q *asked) { q.give(status, "") } }

func replaces(status int) func(*asked) { return func(q *asked) { q.replace(status) } }

// goesTo returns an effect: the server gets the path with prefix before it.
func goesTo(prefix string) func(*asked) {
	return func(q *asked) { q.Expect.Path = prefix + q.Path }
}

// give sets the expected answer: one of the balancer, in place of a server.
func (q *asked) give(status int, text string) { q.Expect.Answer, q.Expect.Text = status, text }

// replace sets the expected answer: one of the balancer, which replaces the server's answer.
func (q *asked) replace(status int) { q.Expect.Answer, q.Expect.Reaches = status, true }

// way returns the path of the request as the client sends it.
func (q *asked) way() string { return fmt.Sprintf("%s/%d", q.Path, q.Number) }

func (q *asked) adds(lines ...string)  { q.Fields = append(q.Fields, lines...) }
func (q *asked) has(lines ...string)   { q.Expect.Has = append(q.Expect.Has, lines...) }
func (q *asked) lacks(names ...string) { q.Expect.Lacks = append(q.Expect.Lacks, names...) }
func (q *asked) gains(lines ...string) { q.Expect.Gains = append(q.Expect.Gains, lines...) }
func (q *asked) loses(names ...string) { q.Expect.Loses = append(q.Expect.Loses, names...) }
func (q *asked) says(lines ...string) {
	q.WebRequest.Answer.Fields = append(q.WebRequest.Answer.Fields, lines...)
}
