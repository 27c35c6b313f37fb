package acl

import "sluice/conf"

// Step is one rule and what became of it.
type Step struct {
	Pos     conf.Pos
	Text    string // the rule as a line: use_backend www if { hdr(host) a }
	Backend string // of use_backend and default_backend
	Verdict Truth
}

// Explain evaluates every rule by itself: tcp-request connection, tcp-request
// content, use_backend, and default_backend where there is one. Which of them
// decides is told by Decision.Rule. It allocates.
func (p *Program) Explain(f *Facts) []Step {
	steps := append([]Step(nil), p.steps...)
	for _, r := range []*ruleset{&p.connection, &p.content, &p.useBackend} {
		for i, c := range r.conds {
			steps[r.step+i].Verdict = c.eval(f)
		}
	}
	return steps
}
