//go:build simulation

package engine

import (
	"fmt"
	"math/rand/v2"
)

// useMonitor adds monitor-uri for the path of one request: the first request of the frontend's
// first conversation.
func useMonitor(t *turn[*simFront]) {
	f := t.of
	for number := 1; number <= mostTalks; number++ {
		if t.scene.frontOf(number) == f {
			f.monitored, f.monitor = number*10, 200
			f.say("monitor-uri %s/%d", monitorPath, f.monitored)
			break
		}
	}
	if t.once(3) && t.scene.keeps(f.name+" monitor fail") {
		f.monitor = 503
		f.say("monitor fail if { always_true }")
	}
}

const monitorPath = "/alive"

// simForward is the directive `option forwardfor`.
type simForward struct {
	header       string
	sparesOutlaw bool
}

// String returns the line of the option.
func (o *simForward) String() string {
	line := "option forwardfor header " + o.header
	if o.header == usualForward {
		line = "option forwardfor if-none"
	}
	if o.sparesOutlaw {
		line += fmt.Sprintf(" except 127.%d.0.0/16", outlawNet)
	}
	return line
}

const usualForward = "X-Forwarded-For"

func newForward(r *rand.Rand) *simForward {
	return &simForward{among(r, usualForward, "X-Client"), r.IntN(3) == 0}
}

// forwardFor adds option forwardfor to a frontend.
func forwardFor(t *turn[*simFront]) {
	t.of.forward = newForward(t.Rand)
	t.of.say("%s", t.of.forward)
}

// forwardTo adds option forwardfor to a backend.
func forwardTo(t *turn[*simBack]) {
	t.of.forward = newForward(t.Rand)
	t.of.say("%s", t.of.forward)
}

// captures adds capture directives, whose values appear in log lines.
func captures(t *turn[*simFront]) {
	for _, line := range []string{
		"capture request header X-Number len 20", "capture request header X-Fill len 4000",
		"capture response header X-Server len 5", "capture response header X-None len 9",
		"capture cookie SRV len 9",
	} {
		if t.once(2) && t.scene.keeps(t.of.name+" "+line) {
			t.of.say("%s", line)
		}
	}
}

// frontRules adds random rules to a frontend.
func frontRules(t *turn[*simFront]) {
	f := t.of
	f.rules = t.scene.chooseRules(t.Rand, f.name+" rule ", requestRules)
	f.answers = t.scene.chooseRules(t.Rand, f.name+" answer rule ", answerRules)
	f.lines = append(f.lines, linesOf(f.rules, "req.hdr", frontMark)...)
	f.lines = append(f.lines, linesOf(f.answers, "res.hdr", frontMark)...)
}

// backRules adds random rules to a backend.
func backRules(t *turn[*simBack]) {
	b := t.of
	b.rules = t.scene.chooseRules(t.Rand, b.name+" rule ", append(requestRules, hostRule))
	b.answers = t.scene.chooseRules(t.Rand, b.name+" answer rule ", answerRules)
	b.lines = append(b.lines, linesOf(b.rules, "req.hdr", backMark)...)
	b.lines = append(b.lines, linesOf(b.answers, "res.hdr", backMark)...)
}

// The fields by which messages ask for a rule of the frontend or of the backend.
const (
	frontMark = "X-Front-Rule"
	backMark  = "X-Back-Rule"
)

// chooseRules returns random ones of the rules. Each is a part of the scene; the name of the part
// is title and the rule's name. A rule whose part was removed is nil.
func (s *scene) chooseRules(r *rand.Rand, title string, all []webRule) (chosen []*webRule) {
	for i := range all {
		if r.IntN(3) > 0 {
			continue
		}
		chosen = append(chosen, nil)
		if s.keeps(title + all[i].name) {
			chosen[len(chosen)-1] = &all[i]
		}
	}
	return chosen
}

// linesOf returns the configuration lines of rules, each with its condition.
func linesOf(rules []*webRule, fetch, mark string) (lines []string) {
	for _, r := range rules {
		if r == nil {
			continue
		}
		lines = append(lines, r.write(fmt.Sprintf("if { %s(%s) %s }", fetch, mark, r.name))...)
	}
	return lines
}
