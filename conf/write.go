package conf

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"sluice/conf/haproxy"
)

// WriteTOML writes a configuration as TOML that parses to an equal one. It omits default values.
// Settings that all proxies share are written to [defaults]. ACLs, rules and servers keep their
// order.
func WriteTOML(w io.Writer, c *Config) error {
	out := bufio.NewWriter(w)
	tables := append([]*table{globalTable(c)}, tablesOf(c)...)
	for _, t := range tables {
		t.settings = slices.DeleteFunc(t.settings, setting.implied)
	}
	shared := hoist(tables[1:])
	first := true
	for _, t := range slices.Insert(tables, 1, shared) {
		if len(t.settings) == 0 && t.name == "" {
			continue
		}
		if !first {
			fmt.Fprintln(out)
		}
		first = false
		t.write(out)
	}
	return out.Flush()
}

// table is one TOML table to be written.
type table struct {
	kind     string
	name     string
	scope    scope
	settings []setting
}

// setting is the lines that move to the defaults section together, or not at all. All have the
// same name.
type setting struct {
	scope scope // sections in which the setting has an effect; 0: it must not move to defaults
	lines []Line
}

func (s setting) equal(o setting) bool { return slices.EqualFunc(s.lines, o.lines, Line.equal) }

func (s setting) implied() bool { return s.lines[0].implied() }

// tablesOf returns the tables of all proxies. A listen is in the lists of frontends and of
// backends, and both lists keep their order. Frontends come before backends as far as this order
// allows.
func tablesOf(c *Config) []*table {
	var tables []*table
	backs := c.Backends
	upTo := func(stop func(*Backend) bool) {
		for len(backs) > 0 && !stop(backs[0]) {
			tables = append(tables, backTable(c, backs[0]))
			backs = backs[1:]
		}
	}
	for _, f := range c.Frontends {
		if f.Listen {
			upTo(func(b *Backend) bool { return b.Listen && b.Name == f.Name })
		}
		t := frontTable(c, f)
		if f.Listen && len(backs) > 0 {
			t.merge(backTable(c, backs[0]))
			backs = backs[1:]
		}
		tables = append(tables, t)
	}
	upTo(func(*Backend) bool { return false })
	return tables
}

// merge adds the backend part of a listen section.
func (t *table) merge(half *table) {
	t.scope |= half.scope
	for _, s := range half.settings {
		if !slices.ContainsFunc(t.settings, s.equal) {
			t.settings = append(t.settings, s)
		}
	}
}

// hoist moves the settings that are equal in all proxies in their scope into a defaults table.
func hoist(tables []*table) *table {
	shared := &table{kind: "defaults"}
	for _, t := range tables {
		for _, s := range t.settings {
			if s.scope != 0 && !slices.ContainsFunc(shared.settings, s.equal) && inAll(tables, s) {
				shared.settings = append(shared.settings, s)
			}
		}
	}
	for _, t := range tables {
		t.settings = slices.DeleteFunc(t.settings, func(s setting) bool {
			return s.scope != 0 && slices.ContainsFunc(shared.settings, s.equal)
		})
	}
	return shared
}

func inAll(tables []*table, s setting) bool {
	for _, t := range tables {
		if t.scope&s.scope != 0 && !slices.ContainsFunc(t.settings, s.equal) {
			return false
		}
	}
	return true
}

// all returns the lines of all settings.
func (t *table) all() []Line {
	n := 0
	for _, s := range t.settings {
		n += len(s.lines)
	}
	all := make([]Line, 0, n)
	for _, s := range t.settings {
		all = append(all, s.lines...)
	}
	return all
}

// add appends a setting with the scope in, unless it has no lines.
func (t *table) add(in scope, lines ...Line) {
	if len(lines) > 0 {
		t.settings = append(t.settings, setting{in, lines})
	}
}

// line appends a setting of one line.
func (t *table) line(in scope, name string, params ...Param) {
	t.add(in, Line{Name: name, Params: params})
}

func (t *table) write(out io.Writer) {
	header := t.kind
	if t.name != "" {
		header += "." + quoteKey(t.name)
	}
	fmt.Fprintf(out, "[%s]\n", header)
	for _, run := range t.runs() {
		width := 0
		for _, l := range run {
			width = max(width, len(l.key))
		}
		for _, l := range run {
			fmt.Fprintf(out, "%-*s = %s\n", width, l.key, l.value)
		}
	}
}

// runs splits the lines at values that take several lines. The equals signs of one run are aligned.
func (t *table) runs() [][]tomlLine {
	var runs [][]tomlLine
	broken := true
	for _, l := range t.lines() {
		long := strings.Contains(l.value, "\n")
		if broken || long {
			runs = append(runs, nil)
		}
		runs[len(runs)-1] = append(runs[len(runs)-1], l)
		broken = long
	}
	return runs
}

type tomlLine struct{ key, value string }

// lines joins the settings of each key, in the order of the table of directives.
func (t *table) lines() []tomlLine {
	var lines []tomlLine
	for i := range words {
		w := &words[i]
		if w.scope&kinds[t.kind] == 0 {
			continue
		}
		var items []string
		for _, l := range t.of(w) {
			items = append(items, w.item(l))
		}
		if items != nil {
			lines = append(lines, tomlLine{tomlKey(w.name), w.render(items)})
		}
	}
	return lines
}

// of returns the lines of one directive. Timeouts are in the order of their table.
func (t *table) of(w *word) []Line {
	lines := slices.DeleteFunc(t.all(), func(l Line) bool { return l.Name != w.name })
	if w.shape == dictionary {
		rank := func(l Line) int {
			return slices.IndexFunc(timeouts, func(known timeoutWord) bool { return known.name == l.Params[0].Values[0] })
		}
		slices.SortStableFunc(lines, func(a, b Line) int { return rank(a) - rank(b) })
	}
	return lines
}

// longestLine is the length in bytes from which a list is written with one item on each line.
const longestLine = 76

// item returns a line of this directive as a TOML value, or as an entry of a dictionary.
func (w *word) item(l Line) string {
	args := l.words()
	switch {
	case w.shape == integer:
		return args[0]
	case w.shape == boolean:
		return "true"
	case w.shape == verbatim:
		return quote(args[0])
	case w.shape == dictionary:
		return tomlKey(args[0]) + " = " + quote(args[1])
	case w.name == "server":
		return l.inline()
	}
	return quote(haproxy.Join(args))
}

func (w *word) render(items []string) string {
	joined := strings.Join(items, ", ")
	rules := slices.Contains([]string{"acl", "use_backend", "tcp-request", "http-request", "http-response", "server"}, w.name)
	switch {
	case w.shape == dictionary:
		return "{ " + joined + " }"
	case w.shape != manyLines:
		return joined
	case len(joined) < longestLine && (len(items) == 1 || !rules):
		return "[" + joined + "]"
	}
	return "[\n  " + strings.Join(items, ",\n  ") + ",\n]"
}

func quoteKey(name string) string {
	if strings.ContainsAny(name, ".:") {
		return `"` + name + `"`
	}
	return name
}
