package conf

import (
	"slices"
	"strings"

	"sluice/conf/haproxy"
)

// Line is one directive of a section in its canonical spelling: defaults sections and older
// directives are resolved, numbers and times have one form, and conditions are normalized.
//
// The lines of a section determine its part of the Config: WriteTOML writes nothing else. So two
// configurations with equal lines are equal, except for positions. A Config has only the paths of
// pattern files, so their contents are not in its lines.
type Line struct {
	Name    string // as in haproxy.cfg: "use_backend", "stats socket"
	Params  []Param
	File    string // path of the file with Content; empty: the line names no file that is sent to clients
	Content []byte
}

// Param is one parameter of a directive: `weight 10` or `check` of a server.
type Param struct {
	Name    string   // the keyword. If Bare is true: the meaning of the values; empty: the line has no other values
	Values  []string // empty: the keyword stands alone
	Bare    bool     // haproxy.cfg has the values without a keyword, as in `server NAME ADDRESS`
	Implied bool     // the values are the default, so WriteTOML leaves the parameter out
}

// GlobalLines returns the lines of the global section.
func GlobalLines(c *Config) []Line { return globalTable(c).all() }

// FrontendLines returns the lines of a frontend of c, or of the frontend part of a listen section.
func FrontendLines(c *Config, f *Frontend) []Line { return frontTable(c, f).all() }

// BackendLines returns the lines of a backend of c, or of the backend part of a listen section.
// Lines that concern both parts of a listen section are in the lists of both.
func BackendLines(c *Config, b *Backend) []Line { return backTable(c, b).all() }

// bare returns a parameter without a keyword.
func bare(name string, values ...string) Param {
	return Param{Name: name, Values: values, Bare: true}
}

// keyword returns a parameter with its keyword.
func keyword(name string, values ...string) Param { return Param{Name: name, Values: values} }

// implied marks the parameter as left out if is is true.
func (p Param) implied(is bool) Param {
	p.Implied = is
	return p
}

// Text returns the values as in haproxy.cfg, without the keyword.
func (p Param) Text() string { return haproxy.Join(p.Values) }

// words returns the parameter as words of haproxy.cfg.
func (p Param) words() []string {
	if p.Bare {
		return p.Values
	}
	return append([]string{p.Name}, p.Values...)
}

func (p Param) equal(o Param) bool {
	return p.Name == o.Name && p.Bare == o.Bare && slices.Equal(p.Values, o.Values)
}

// words returns the arguments of the directive without those that are implied.
func (l Line) words() []string {
	var w []string
	for _, p := range l.Params {
		if !p.Implied {
			w = append(w, p.words()...)
		}
	}
	return w
}

// implied reports whether a file need not have the line at all.
func (l Line) implied() bool {
	return len(l.Params) > 0 && !slices.ContainsFunc(l.Params, func(p Param) bool { return !p.Implied })
}

func (l Line) equal(o Line) bool {
	return l.Name == o.Name && slices.EqualFunc(l.Params, o.Params, Param.equal)
}

// String returns the directive as in haproxy.cfg.
func (l Line) String() string {
	w := l.words()
	if l.Name == "option" && w[0] == "no" {
		return "no option " + haproxy.Join(w[1:])
	}
	return strings.TrimSpace(l.Name + " " + haproxy.Join(w))
}
