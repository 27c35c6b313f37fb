package acl

import "sluice/conf"

// Program holds the compiled rules of one frontend. It is immutable and used by all loops at the
// same time.
type Program struct {
	HTTP       // http-request and http-response rules, for mode http
	connection ruleset
	content    ruleset
	useBackend ruleset
	backend    int // index of the default backend; -1: none
	needs      Needs
	monitor    []*cond
	steps      []Step // one step per rule, tcp-request connection rules first; the verdicts are not set
}

// ruleset is a chain of rules with the action of each.
type ruleset struct {
	chain
	actions  []conf.Action // action of each rule, for tcp-request rules
	backends []int         // backend index of each rule, for use_backend rules
	step     int           // index in Program.steps of the first rule
}

// Needs says which facts the rules require for a final decision.
type Needs struct {
	Bytes     bool // the client's first bytes, or the timeout that ends the wait for them
	TLS, HTTP bool // which kind of first bytes the rules test
	Dst       bool // the rules test Facts.Dst
}

func (n Needs) or(m Needs) Needs {
	return Needs{n.Bytes || m.Bytes, n.TLS || m.TLS, n.HTTP || m.HTTP, n.Dst || m.Dst}
}

// Verdict is the result of the rules for a connection.
type Verdict uint8

// The verdicts. The zero value is More.
const (
	More   Verdict = iota // read more bytes and decide again
	Refuse                // a rule rejects the connection
	Route                 // the connection goes to Decision.Backend
)

func (v Verdict) String() string { return [...]string{"more", "refuse", "route"}[v] }

// Decision is the result for one connection.
type Decision struct {
	Verdict Verdict
	Backend int // index in conf.Config.Backends; -1: none
	Rule    int // index in the result of Explain of the rule that decides, or that needs more bytes; -1: no rule decides and there is no default_backend
}

// Needs returns the facts that the rules require.
func (p *Program) Needs() Needs { return p.needs }

// Connection evaluates the tcp-request connection rules, when a connection is accepted. If no rule
// matches it returns accept, as in HAProxy (configuration.txt 4.2, tcp-request connection).
func (p *Program) Connection(f *Facts) conf.Action {
	rule, t := p.connection.first(f)
	if t != True {
		return conf.Accept
	}
	return p.connection.actions[rule]
}

// Decide evaluates the tcp-request content rules up to the first that is true, then use_backend and
// default_backend. The verdict is never More if f.Final is set. Rules that need no bytes may decide
// before any byte arrives.
func (p *Program) Decide(f *Facts) Decision {
	rule, t := p.content.filter(f)
	switch {
	case t == Unknown:
		return Decision{Backend: -1, Rule: p.content.step + int(rule)}
	case t == True && p.content.actions[rule] == conf.Reject:
		return Decision{Refuse, -1, p.content.step + int(rule)}
	}
	return p.Route(f)
}

// Rejects reports whether a tcp-request content rule rejects the client. f.Final must be set.
func (p *Program) Rejects(f *Facts) bool {
	rule, t := p.content.filter(f)
	return t == True && p.content.actions[rule] == conf.Reject
}

// Failing reports whether a condition of `monitor fail` is true. f.Final must be set.
func (p *Program) Failing(f *Facts) bool {
	for _, c := range p.monitor {
		if c.eval(f) == True {
			return true
		}
	}
	return false
}

// Route evaluates use_backend and default_backend only. The verdict is never More if f.Final is set.
func (p *Program) Route(f *Facts) Decision {
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
