package conf

// ACL is one `acl` directive, or the content of an anonymous `{ ... }`. Package conf stores the
// fetch and the patterns as text; package engine/acl checks and evaluates them.
type ACL struct {
	Name       string // empty: an anonymous ACL
	Pos        Pos
	Keyword    string   // fetch or its short form, as written: hdr_end, req.ssl_sni, src
	Args       []string // arguments of the fetch; hdr(host) has one
	Converters []Call
	IgnoreCase bool
	Match      string   // argument of -m; empty: not given
	Files      []string // arguments of -f: pattern files
	Patterns   []string
}

// Call is a fetch or a converter with its arguments, such as `hdr(host)` or `field(1,:)`.
type Call struct {
	Name string
	Args []string
}

// Cond is a condition in HAProxy's grammar: alternatives (`||`), each a list of terms that must all
// be true. A nil *Cond is always true.
type Cond struct {
	Pos    Pos
	Unless bool
	Any    [][]Term
	Text   string // the whole condition on one line in normalized form, with `if` or `unless`
}

// Term is the name of an ACL, or an anonymous ACL. Not negates it.
type Term struct {
	Not  bool
	Name string
	Anon *ACL // nil: Name is set; otherwise an anonymous ACL, and Name is empty
}

// Action is the action of a tcp-request rule.
type Action uint8

// The actions.
const (
	Accept Action = iota
	Reject
)

func (a Action) String() string { return [...]string{"accept", "reject"}[a] }

// Rule is a `tcp-request connection` or `tcp-request content` directive.
type Rule struct {
	Pos    Pos
	Action Action
	Cond   *Cond
}

// UseBackend is a `use_backend` directive.
type UseBackend struct {
	Pos     Pos
	Backend string
	Cond    *Cond
}
