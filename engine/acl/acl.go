package acl

import "sluice/conf"

// Program is the rules of one frontend, compiled. It is immutable and used by
// all loops at the same time.
type Program struct {
	HTTP       // of mode http
	connection ruleset
	content    ruleset
	useBackend ruleset
	backend    int // default backend, -1: none
	needs      Needs
	monitor    []*cond
	steps      []Step // of all rules, connection first; verdicts unset
}

// ruleset is a chain and what each of its rules does.
type ruleset struct {
	chain
	actions  []conf.Action // of tcp-request rules
	backends []int         // of use_backend rules
	step     int           // of the first rule, in Program.steps
}

// Needs says what must be known before Decide can give its last word.
type Needs struct {
	Bytes     bool // the first bytes, or that none came in time
	TLS, HTTP bool // and what kind of first bytes the rules ask about
	Dst       bool // Facts.Dst
}

func (n Needs) or(m Needs) Needs {
	return Needs{n.Bytes || m.Bytes, n.TLS || m.TLS, n.HTTP || m.HTTP, n.Dst || m.Dst}
}

// Verdict is what is to be done with a connection.
type Verdict uint8

// The verdicts. The zero value is More.
const (
	More   Verdict = iota // read on and ask again
	Refuse                // a rule rejects it
	Route                 // it goes to Decision.Backend
)

func (v Verdict) String() string { return [...]string{"more", "refuse", "route"}[v] }

// Decision is the answer to one connection.
type Decision struct {
	Verdict Verdict
	Backend int // index into conf.Config.Backends; -1: none
	Rule    int // index into what Explain returns; -1: no rule decided, nor default_backend
}

// Needs returns what the rules look at.
func (p *Program) Needs() Needs { return p.needs }

// Connection tries the tcp-request connection rules, at accept. No match is
// accept, as in HAProxy (configuration.txt 4.2, tcp-request connection).
func (p *Program) Connection(f *Facts) conf.Action {
	rule, t := p.connection.first(f)
	if t != True {
		return conf.Accept
	}
	return p.connection.actions[rule]
}

// Decide tries the tcp-request content rules, the first of which that is true
// ends them, then use_backend and default_backend. The answer is never More
// when f.Final is set. Rules that need no bytes may decide before any came.
func (p *Program) Decide(f *Facts) Decision {
	rule, t := p.content.first(f)
	switch {
	case t == Unknown:
		return Decision{Backend: -1, Rule: p.content.step + int(rule)}
	case t == True && p.content.actions[rule] == conf.Reject:
		return Decision{Refuse, -1, p.content.step + int(rule)}
	}
	return p.route(f)
}

// Failing says whether one of `monitor fail` holds. f.Final must be set.
func (p *Program) Failing(f *Facts) bool {
	for _, c := range p.monitor {
		if c.eval(f) == True {
			return true
		}
	}
	return false
}

func (p *Program) route(f *Facts) Decision {
	rule, t := p.useBackend.first(f)
	switch {
	case t == Unknown:
		return Decision{Backend: -1, Rule: p.useBackend.step + int(rule)}
	case t == True:
		return Decision{Route, p.useBackend.backends[rule], p.useBackend.step + int(rule)}
	case p.backend < 0:
		return Decision{Route, -1, -1}
	}
	return Decision{Route, p.backend, len(p.steps) - 1}
}
