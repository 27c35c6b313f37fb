package conf

// ACL is one `acl` line, or the inside of an anonymous `{ ... }`. conf keeps
// the words; the room that evaluates them knows the fetches and matchers.
type ACL struct {
	Name       string // empty: anonymous
	Pos        Pos
	Keyword    string   // fetch or its short form, as written: hdr_end, req.ssl_sni, src
	Args       []string // of the fetch: hdr(host) has one
	Converters []Call
	IgnoreCase bool
	Match      string   // the argument of -m, or empty
	Files      []string // -f
	Patterns   []string
}

// Call is one converter of an expression, such as `lower` or `field(1,:)`.
type Call struct {
	Name string
	Args []string
}

// Cond is a condition in HAProxy's grammar: alternatives (`||`) of terms that
// must all hold. A nil *Cond is always true.
type Cond struct {
	Pos    Pos
	Unless bool
	Any    [][]Term
	Text   string // the whole condition as one line in one spelling, `if` or `unless` included
}

// Term is an ACL's name or an anonymous ACL, perhaps negated.
type Term struct {
	Not  bool
	Name string
	Anon *ACL // not nil: an anonymous ACL, and Name is empty
}

// Action is what a tcp-request rule does when its condition holds.
type Action uint8

// The actions.
const (
	Accept Action = iota
	Reject
)

func (a Action) String() string { return [...]string{"accept", "reject"}[a] }

// Rule is a `tcp-request connection` or `tcp-request content` line.
type Rule struct {
	Pos    Pos
	Action Action
	Cond   *Cond
}

// UseBackend is a `use_backend` line.
type UseBackend struct {
	Pos     Pos
	Backend string
	Cond    *Cond
}
