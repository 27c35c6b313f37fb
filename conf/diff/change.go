package diff

import "fmt"

// Kind says what a change is about.
type Kind uint8

// The kinds.
const (
	Section     Kind = iota // a whole frontend, backend or listen section
	Bind                    // a listening address and its parameters, except limits
	Server                  // a server, its parameters, and its place among the servers
	Rule                    // acl, tcp-request, http-request, http-response, use_backend, default_backend, monitor fail
	Limit                   // maxconn, backlog, ulimit-n, buffer_budget
	Timeout                 // timeout, inspect-delay, stats timeout
	Log                     // targets, format, tag, captures, and options about the log
	Option                  // all other options
	Cookie                  // the cookie of a backend
	ErrorFile               // errorfile and errorloc
	StatsSocket             // a stats socket and its parameters
	Setting                 // all other directives
	File                    // content of a file that is sent to clients; the line that names it is unchanged
	PatternFile             // patterns of a file of acl -f, which many sections may use
	Resolved                // address of a host name that a bind line or a server has
)

var kindNames = [...]string{
	"section", "bind", "server", "rule", "limit", "timeout", "log", "option", "cookie", "error file", "stats socket", "setting", "file",
	"pattern file", "resolved address",
}

func (k Kind) String() string { return kindNames[k] }

// Verb says what has happened to an item.
type Verb uint8

// The verbs.
const (
	Added Verb = iota
	Removed
	Changed
	Moved // another place in a list; Was and Is are equal
)

var verbNames = [...]string{"added", "removed", "changed", "moved"}

func (v Verb) String() string { return verbNames[v] }

// Change is one difference between two configurations.
type Change struct {
	Kind    Kind
	Verb    Verb
	Section string // "global", "frontend web", empty for PatternFile; for a section that has changed its kind: the new one
	Item    string // "bind 10.0.0.1:443", "server s1", "use_backend", "timeout client"; empty for Section
	Param   string // the parameter that differs, such as weight; for Resolved the host name; empty: the whole item
	// Was and Is are the values or lines before and after. They are empty for the side on which
	// there is none, and for a parameter without a value. For File and PatternFile both are
	// the path.
	Was, Is string
	// WasAt and IsAt are places in the list of rules or servers, from 1. 0: there is no list, or the
	// item is not in it.
	WasAt, IsAt int
	// Gained and Lost are the numbers of patterns that were added and removed, for PatternFile.
	Gained, Lost int
}

// String returns the change as one line, such as `backend app: server s1: weight 10 is now 20`.
func (c Change) String() string {
	switch c.Kind {
	case Section:
		return c.section()
	case PatternFile:
		return fmt.Sprintf("%s changed: %s added, %d removed", c.Item, patterns(c.Gained), c.Lost)
	}
	return c.Section + ": " + c.text()
}

func (c Change) section() string {
	if c.Verb == Changed {
		return c.Was + " is now " + c.Is
	}
	return c.Section + " " + c.Verb.String()
}

func (c Change) text() string {
	switch inList := c.WasAt+c.IsAt > 0; {
	case c.Kind == File:
		return fmt.Sprintf("%s: file %s changed", c.place(c.IsAt), c.Is)
	case c.Kind == Resolved:
		return fmt.Sprintf("%s: address of %s %s is now %s", c.Item, c.Param, c.Was, c.Is)
	case c.Param != "":
		return c.Item + ": " + c.parameter()
	case c.Verb == Moved && c.Kind == Server:
		return fmt.Sprintf("%s: place %d is now %d", c.Item, c.WasAt, c.IsAt)
	case c.Verb == Moved:
		return fmt.Sprintf("%s is now %s: '%s'", c.place(c.WasAt), c.place(c.IsAt), c.Is)
	case inList && c.Verb == Changed:
		return fmt.Sprintf("%s changed: '%s' is now '%s'", c.place(c.IsAt), c.Was, c.Is)
	case inList:
		return fmt.Sprintf("%s %s: '%s'", c.place(c.WasAt+c.IsAt), c.Verb, c.Was+c.Is)
	case c.Verb == Changed:
		return fmt.Sprintf("%s %s is now %s", c.Item, c.Was, c.Is)
	case c.Kind == Bind || c.Kind == Server:
		return c.Item + " " + c.Verb.String()
	}
	return c.Was + c.Is + " " + c.Verb.String() // one of both is empty
}

// place returns the item with its number, if there is a list.
func (c Change) place(at int) string {
	switch {
	case at == 0:
		return c.Item
	case c.Kind == Log:
		return fmt.Sprintf("%s %d", c.Item, at)
	}
	return fmt.Sprintf("%s rule %d", c.Item, at)
}

func (c Change) parameter() string {
	if c.Verb == Changed {
		return fmt.Sprintf("%s %s is now %s", c.Param, c.Was, c.Is)
	}
	value := c.Was + c.Is // one of both is empty
	if value != "" {
		value += " "
	}
	return fmt.Sprintf("%s %s%s", c.Param, value, c.Verb)
}

func patterns(n int) string {
	if n == 1 {
		return "1 pattern"
	}
	return fmt.Sprintf("%d patterns", n)
}
