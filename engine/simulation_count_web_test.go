//go:build simulation

package engine

import "strings"

// addRequest adds a request of mode http to the expected counters.
func (t *truth) addRequest(c *countedLine) {
	c.inBoth(colRequests)
	c.inBoth(classOf(c.status))
	if c.request == badRequestLine {
		c.f.inc(colFailedReq)
		return
	}
	t.addRule(c)
	if c.b == nil {
		return
	}
	c.b.inc(colTotal)
	t.addAnswer(c)
	t.addBadAnswer(c)
	t.addAborts(c)
}

// ruleOf returns the name of the rule that the fields of a message ask for; empty: none.
func ruleOf(fields []string) string {
	for _, line := range fields {
		for _, mark := range []string{frontMark, backMark} {
			if name, found := strings.CutPrefix(line, mark+": "); found {
				return name
			}
		}
	}
	return ""
}

// denies reports whether a rule with this name denies.
func denies(rule string) bool { return strings.HasPrefix(rule, "deny") }

// cutShort reports whether the engine has ended the session for a reason of its own. Then the
// termination state does not show which rule had answered.
func (c *countedLine) cutShort() bool { return c.ends("K") || c.ends("R") && !c.ends("RC") }

// addRule adds the counters of rules for requests, and of malformed bodies.
func (t *truth) addRule(c *countedLine) {
	denied := c.q != nil && denies(ruleOf(c.q.Fields)) && c.q.Expect.Answer == c.status
	spoilt := c.q != nil && c.q.Malformed != ""
	switch {
	case c.q == nil || c.cutShort():
		for _, of := range []column{colDeniedReq, colFailedReq, colIntercepted} {
			c.f.may(of, 1)
		}
		if c.b != nil {
			c.b.may(colDeniedReq, 1)
		}
	case c.ends("LR") && c.b == nil:
		c.f.inc(colIntercepted)
	case c.ends("PR") && denied:
		c.inBoth(colDeniedReq)
	case c.ends("PR") && c.status == 400, c.ends("PH") && c.status == 400 && spoilt:
		c.f.inc(colFailedReq)
	case c.ends("PD") && spoilt && c.q.Answer.Bad == "":
		c.f.inc(colFailedReq)
	case c.ends("PD") && spoilt:
		c.f.may(colFailedReq, 1)
	}
}

// addAnswer adds the counters of the server's final answer, with the status that the server has
// sent, and those of rules for answers.
func (t *truth) addAnswer(c *countedLine) {
	ruled := c.term[1] == 'H' && c.q != nil && ruleOf(c.q.Answer.Fields) != "" && !c.q.Answer.SpoilsHead() &&
		c.status == c.q.Expect.Answer
	switch {
	case c.v == nil:
	case c.q == nil || c.cutShort() && c.tr < 0:
		c.v.may(colRequests, 1)
		for class := colOther; class <= col5xx; class++ {
			c.v.may(class, 1)
		}
		for _, e := range []*expected{c.f, c.b, c.v} {
			e.may(colDeniedResp, 1)
		}
	case c.tr >= 0 || ruled && (c.ends("P") || c.ends("L")):
		c.v.inc(colRequests)
		c.v.inc(classOf(c.q.Answer.Status))
		if c.tr < 0 && c.ends("P") {
			c.f.inc(colDeniedResp)
			c.atServer(colDeniedResp)
		}
	}
}

// addBadAnswer adds an answer that was malformed, cut short or missing.
func (t *truth) addBadAnswer(c *countedLine) {
	switch {
	case c.q == nil:
		c.mayAtServer(colFailedResp)
	case c.ends("SH"), c.ends("sH"):
		c.atServer(colFailedResp)
	case c.ends("PH") && c.status == 502 && !(denies(ruleOf(c.q.Answer.Fields)) && !c.q.Answer.SpoilsHead()):
		c.atServer(colFailedResp)
	case c.ends("PD") && c.q.Malformed == "":
		c.atServer(colFailedResp)
	case c.ends("PD") && c.q.Answer.Bad != "":
		c.mayAtServer(colFailedResp)
	case c.ends("SD") && (c.status == 101 || c.q.Method == "CONNECT" && c.status < 300): // a tunnel
	case c.ends("SD") && c.q.Answer.Early >= 0: // the answer may be whole, but not the request
		c.mayAtServer(colFailedResp)
	case c.ends("SD"):
		c.atServer(colFailedResp)
	}
}
