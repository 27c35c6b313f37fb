package acl

import "sluice/conf"

// Step is one rule with its result.
type Step struct {
	Pos     conf.Pos
	Text    string // the rule as in the configuration: use_backend www if { hdr(host) a }
	Backend string // target of use_backend and default_backend; empty for other rules
	Verdict Truth
}

// Explain evaluates every rule on its own and returns one step for each. The order is tcp-request
// connection, tcp-request content, use_backend, and default_backend if there is one. Decision.Rule
// is the index of the step that decides. Explain allocates.
func (p *Program) Explain(f *Facts) []Step {
	steps := append([]Step(nil), p.steps...)
	for _, r := range []*ruleset{&p.connection, &p.useBackend} {
		for i, c := range r.conds {
			steps[r.step+i].Verdict = c.eval(f)
		}
	}
	for i := range p.content.conds {
		steps[p.content.step+i].Verdict = p.content.filtered(f, i)
	}
	return steps
}
