package acl

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sluice/conf"
)

// builder compiles one acl line.
type builder struct {
	*compiler
	line   *conf.ACL
	expr   expr
	match  string // match method: from -m, from the short form of the fetch, or the default for the kind of value
	failed bool
	what   string // what the expr belongs to, for messages; empty: an ACL
}

func (b *builder) build() *test {
	// for a line without a keyword, package conf has already reported the error
	if b.line.Keyword == "" || !b.fetch() {
		return nil
	}
	b.converters()
	if b.failed || !b.cast() {
		return nil
	}
	patterns := b.patterns()
	t := &test{expr: b.shared(&b.expr)}
	b.matcher(t, patterns)
	if b.failed {
		return nil
	}
	b.doubts(t, patterns)
	return t
}

// errorf reports an error in the line.
func (b *builder) errorf(format string, args ...any) {
	b.failed = true
	b.problems.Errorf(b.line.Pos, "%s in %s: %s", b.subject(), b.where, fmt.Sprintf(format, args...))
}

func (b *builder) warnf(format string, args ...any) {
	b.problems.Warnf(b.line.Pos, "%s in %s: %s", b.subject(), b.where, fmt.Sprintf(format, args...))
}

func (b *builder) subject() string {
	if b.what != "" {
		return b.what
	}
	if b.line.Name == "" {
		return fmt.Sprintf("acl '{ %s }'", b.line)
	}
	return fmt.Sprintf("acl '%s'", b.line.Name)
}

// fetch sets the fetch that the keyword names and reads its arguments. The keyword may be a short
// form such as hdr_end.
func (b *builder) fetch() bool {
	name := b.line.Keyword
	b.expr.fetch = spellings[name]
	if b.expr.fetch == nil {
		name, b.match = shortForm(name)
		b.expr.fetch = spellings[name]
	}
	if b.expr.fetch == nil {
		b.errorf("unknown fetch '%s'%s", b.line.Keyword, near(b.line.Keyword, spellings))
		return false
	}
	b.expr.kind, b.expr.folded = b.expr.fetch.kind, b.expr.fetch.folded
	b.arguments(name)
	if full, ok := aliases[name]; ok {
		name = full
	}
	b.expr.text = fmt.Sprintf("%s(%q,%d)", name, b.expr.name, b.expr.occurrence)
	if b.expr.delimiters != "" {
		b.expr.text += fmt.Sprintf(" at %q, any case %t", b.expr.delimiters, b.expr.anyCase)
	}
	return !b.failed
}

// shortForm splits a keyword such as hdr_end into the fetch hdr and the match end. It returns empty
// strings if the keyword is not a short form of a fetch that yields strings.
func shortForm(keyword string) (name, match string) {
	i := strings.LastIndexByte(keyword, '_')
	if i < 0 {
		return "", ""
	}
	name, match = keyword[:i], keyword[i+1:]
	f := spellings[name]
	switch {
	case f == nil || f.kind != text:
		return "", ""
	case match == "ip" && !f.header:
		return "", "" // HAProxy has fetches with names such as url_ip, with another meaning
	case match != "ip" && !slices.Contains(textMatches, match):
		return "", ""
	}
	return name, match
}

// arguments reads (name) or (name,occurrence) for the fetches of header fields, and rejects
// arguments of other fetches.
func (b *builder) arguments(name string) {
	args := b.line.Args
	if b.expr.fetch.named {
		b.nameArgument(name, args)
		return
	}
	if !b.expr.fetch.header {
		if len(args) > 0 {
			b.errorf("'%s' has the argument '%s', wanted none", name, strings.Join(args, ","))
		}
		return
	}
	if len(args) > 2 {
		b.errorf("'%s' has %d arguments, wanted a header's name and perhaps which of its values", name, len(args))
	}
	if len(args) > 0 {
		b.expr.name = strings.ToLower(args[0])
	}
	b.expr.partly = b.mode == conf.HTTP && (b.expr.name == "" || b.expr.name == connection)
	if len(args) == 2 {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			b.errorf("'%s' has the occurrence '%s', wanted an integer such as 1, or -1 for the last", name, args[1])
		}
		b.expr.occurrence = n
	}
}

// nameArgument reads the optional (name) for the fetches of cookies and parameters. url_param may
// have more arguments.
func (b *builder) nameArgument(name string, args []string) {
	if b.expr.fetch == fetches["url_param"] {
		args = b.paramArguments(name, args)
	}
	switch len(args) {
	case 0:
	case 1:
		b.expr.name = args[0]
	default:
		b.errorf("'%s' has the arguments '%s', wanted a name or none", name, strings.Join(args, ","))
	}
}

// paramArguments reads the delimiter and the flag i of url_param(name,delimiter,i), and returns the
// arguments before them.
func (b *builder) paramArguments(name string, args []string) []string {
	first := "?"
	if len(args) > 1 && args[1] != "" {
		first = args[1]
	}
	if len(first) > 1 || first[0] <= ' ' || first[0] >= 0x7f {
		b.errorf("'%s' has the delimiter '%s', wanted one visible ASCII character", name, first)
	}
	b.expr.delimiters = first + "&;"
	if len(args) > 2 {
		b.expr.anyCase = args[2] == "i"
		if !b.expr.anyCase || len(args) > 3 {
			b.errorf("'%s' has the arguments '%s' behind the delimiter, wanted i or none", name, strings.Join(args[2:], ","))
		}
	}
	if b.expr.anyCase {
		args[0] = string(mapString(args[0], lower))
	}
	return args[:min(len(args), 1)]
}

// conversions maps the name of each converter to its input kind, output kind and function.
var conversions = map[string]struct {
	from, to kind
	apply    converter
}{
	"lower":     {text, text, toLower},
	"upper":     {text, text, toUpper},
	"length":    {text, number, length},
	"host_only": {text, text, hostOnly},
	"port_only": {text, number, portOnly},
	"field":     {text, text, nil},
	"word":      {text, text, nil},
}

// lowers reports whether the output of a converter is always lower case.
func lowers(converter string) bool { return converter == "lower" || converter == "host_only" }

func (b *builder) converters() {
	for _, c := range b.line.Converters {
		if !b.converter(c) {
			return
		}
	}
	b.expr.own = len(b.expr.converters)
}

func (b *builder) converter(c conf.Call) bool {
	known, ok := conversions[c.Name]
	if !ok {
		b.errorf("unknown converter '%s', wanted one of %s%s", c.Name, strings.Join(slices.Sorted(maps.Keys(conversions)), ", "), near(c.Name, conversions))
		return false
	}
	var err error
	switch {
	case known.apply == nil:
		known.apply, err = newSplitter(c.Args, c.Name == "word")
	case len(c.Args) > 0:
		err = fmt.Errorf("has the argument '%s', wanted none", strings.Join(c.Args, ","))
	}
	if err == nil && !b.expr.cast(known.from) {
		err = fmt.Errorf("takes %s, found %s", known.from, b.expr.kind)
	}
	if err != nil {
		b.errorf("converter '%s' %s", c.Name, err)
		return false
	}
	b.expr.add(known.apply, known.to, fmt.Sprintf("%s%q", c.Name, c.Args))
	if lowers(c.Name) || c.Name == "upper" {
		b.expr.folded = lowers(c.Name)
	}
	return true
}

// near returns a suggestion with the known name that is most similar to a misspelt one.
func near[V any](name string, known map[string]V) string {
	return conf.Suggest(name, slices.Sorted(maps.Keys(known)))
}
