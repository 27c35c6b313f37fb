package conf

import (
	"errors"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// readTOML parses a TOML file into the same sections and statements as a haproxy.cfg. The order is
// global, defaults, then the proxies in the order of the file.
func readTOML(src Source, problems *Problems) []section {
	t := &tomlReader{file: src.Name, problems: problems, seen: make(map[string]bool), byPath: make(map[string]*section)}
	var deep *tomlError
	if t.places, deep = tomlPlaces(src.Data); deep != nil {
		problems.Errorf(Pos{File: src.Name, Line: deep.line}, "%s", deep.text)
		return nil
	}
	meta, err := toml.Decode(string(src.Data), &t.tree)
	if err != nil {
		t.syntax(err)
		return nil
	}
	for _, key := range meta.Keys() {
		t.key(key)
	}
	return t.inOrder()
}

func rank(st statement) int {
	if st.words[0] == "default-server" {
		return 0
	}
	return 1
}

type tomlReader struct {
	file     string
	problems *Problems
	places   places
	tree     map[string]any
	seen     map[string]bool     // paths of keys that were read
	byPath   map[string]*section // section of each table, by the path of the table
	sections []*section          // in the order of the file
}

// syntax reports a syntax error of the TOML library in the style of our messages.
func (t *tomlReader) syntax(err error) {
	at, text := Pos{File: t.file}, err.Error()
	if parse, ok := errors.AsType[toml.ParseError](err); ok {
		at.Line, text = parse.Position.Line, parse.Message
	}
	text = strings.TrimSuffix(text, ".")
	if len(text) > 1 && text[1] >= 'a' { // the text starts neither with an abbreviation nor with "TOML"
		text = strings.ToLower(text[:1]) + text[1:]
	}
	t.problems.Errorf(at, "%s%s", text, tomlHint(text))
}

// tomlHint returns a hint for mistakes that are common among users of haproxy.cfg, or "".
func tomlHint(text string) string {
	if word, found := strings.CutPrefix(text, `expected value but found "`); found {
		return `; wanted a string in quotes: "` + strings.TrimSuffix(word, " instead")
	}
	for _, known := range tomlHints {
		if strings.HasPrefix(text, known.text) {
			return "; " + known.hint
		}
	}
	return ""
}

// tomlHints are found by the start of the library's message.
var tomlHints = []struct{ text, hint string }{
	{"expected '.' or '='", "wanted KEY = VALUE, since the file's name ends in .toml"},
	{"expected '.' or ']'", "wanted a header such as [frontend.NAME]"},
	{"expected a comma", "are there quotes around each word, time and address?"},
	{"invalid float value", "wanted a string in quotes"},
}

// inOrder puts sections and statements before those that depend on them: defaults before proxies,
// and default_server before the servers.
func (t *tomlReader) inOrder() []section {
	var ordered []section
	for _, s := range t.sections {
		slices.SortStableFunc(s.lines, func(a, b statement) int { return rank(a) - rank(b) })
	}
	for _, kind := range []string{"global", "defaults", ""} {
		for _, s := range t.sections {
			proxy := s.kind != "global" && s.kind != "defaults"
			if s.kind == kind || kind == "" && proxy {
				ordered = append(ordered, *s)
			}
		}
	}
	return ordered
}

// key reads one key of the file. It is also called for the keys of inner tables, so each path is
// read only once.
func (t *tomlReader) key(key toml.Key) {
	kind := key[0]
	table, isTable := t.tree[kind].(map[string]any)
	switch {
	case kinds[kind] == 0:
		t.once(key[:1], func(at Pos) {
			t.problems.Errorf(at, "unknown key '%s', wanted global, defaults, frontend, backend or listen%s",
				kind, suggest(kind, keysOf(kinds), ""))
		})
	case !isTable:
		t.once(key[:1], func(at Pos) {
			t.problems.Errorf(at, "'%s' is %s, wanted a table%s", kind, tomlType(t.tree[kind]), tableHint(kind))
		})
	case kind == "global" || kind == "defaults":
		s := t.open(kind, "", key[:1])
		if len(key) > 1 {
			t.word(s, key[:2], table[key[1]])
		}
	case len(key) > 1:
		t.proxy(kind, key, table[key[1]])
	}
}

func tableHint(kind string) string {
	if kind == "global" || kind == "defaults" {
		return ": [" + kind + "]"
	}
	return " for each name: [" + kind + ".NAME]"
}

// proxy reads a key of a frontend, backend or listen table.
func (t *tomlReader) proxy(kind string, key toml.Key, value any) {
	table, isTable := value.(map[string]any)
	if !isTable {
		t.once(key[:2], func(at Pos) {
			t.problems.Errorf(at, "'%s' in [%s] is %s, wanted a table: [%s.NAME]", key[1], kind, tomlType(value), kind)
		})
		return
	}
	s := t.open(kind, key[1], key[:2])
	if len(key) > 2 {
		t.word(s, key[:3], table[key[2]])
	}
}

// open returns the section of a path. The first call creates it.
func (t *tomlReader) open(kind, name string, path toml.Key) *section {
	id := pathOf(path...)
	s := t.byPath[id]
	if s == nil {
		s = &section{kind: kind, name: name, pos: t.at(path)}
		t.byPath[id] = s
		t.sections = append(t.sections, s)
	}
	return s
}

// once calls f only in the first call for this path.
func (t *tomlReader) once(path toml.Key, f func(at Pos)) {
	id := pathOf(path...)
	if t.seen[id] {
		return
	}
	t.seen[id] = true
	f(t.at(path))
}

func (t *tomlReader) at(path toml.Key) Pos {
	pos := Pos{File: t.file, Where: path.String()}
	if p := t.places[pathOf(path...)]; p != nil {
		pos.Line = p.line
	}
	return pos
}
