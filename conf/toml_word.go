package conf

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"sluice/conf/haproxy"
)

// word reads one key of a section and converts its value to statements.
func (t *tomlReader) word(s *section, path toml.Key, value any) {
	t.once(path, func(at Pos) {
		key := path[len(path)-1]
		w := wordForKey(key, kinds[s.kind])
		if w == nil {
			t.problems.Errorf(at, "unknown key '%s' in %s%s", key, s.title(), suggestKey(s, key, value))
			return
		}
		v := &tomlValue{tomlReader: t, s: s, w: w, at: at, key: key, place: t.places[pathOf(path...)]}
		v.read(value)
	})
}

// wordForKey returns the directive with this TOML key. It also returns a directive of another kind
// of section, so that the builder can report the wrong place.
func wordForKey(key string, in scope) *word {
	var other *word
	for i := range words {
		w := &words[i]
		if w.shape == notTOML || tomlKey(w.name) != key {
			continue
		}
		if w.scope&in != 0 {
			return w
		}
		other = w
	}
	return other
}

func tomlKey(name string) string { return strings.NewReplacer(" ", "_", "-", "_").Replace(name) }

// suggestKey returns a suggestion for an unknown key, or "".
func suggestKey(s *section, key string, value any) string {
	in := kinds[s.kind]
	folded := strings.ToLower(tomlKey(key))
	var known []string
	if _, isTable := value.(map[string]any); isTable && s.name != "" {
		return fmt.Sprintf(`; to use dots in a name, quote it: [%s."%s.%s"]`, s.kind, s.name, key)
	}
	for _, w := range words {
		if w.shape == notTOML && tomlKey(w.name) == folded {
			return suggestOld(w.name)
		}
		if w.shape != notTOML && (w.scope&in != 0 || tomlKey(w.name) == folded) {
			known = append(known, tomlKey(w.name))
		}
	}
	return suggest(folded, known, "")
}

// suggestOld returns the TOML replacement for an obsolete directive of HAProxy.
func suggestOld(word string) string {
	switch word {
	case "nbproc":
		return ", wanted nbthread"
	case "errorloc":
		return ", wanted errorloc302"
	case "http-reuse":
		return ", a connection to a server serves one client"
	case "redispatch":
		return `, wanted option = ["redispatch"]`
	}
	return `, wanted timeout = { connect = "5s", client = "50s", server = "50s" }`
}

// tomlValue reads the value of one key.
type tomlValue struct {
	*tomlReader
	s     *section
	w     *word
	at    Pos
	key   string
	place *place
}

func (v *tomlValue) read(value any) {
	switch v.w.shape {
	case integer:
		v.number(value)
	case boolean:
		v.flag(value)
	case verbatim, wholeLine:
		v.oneString(value)
	case manyLines:
		v.many(value)
	case dictionary:
		v.dictionary(value)
	}
}

func (v *tomlValue) errorf(at Pos, format string, args ...any) {
	v.problems.Errorf(at, "'%s' in %s: %s", v.key, v.s.title(), fmt.Sprintf(format, args...))
}

// say adds the statement `word args...`.
func (v *tomlValue) say(at Pos, args ...string) {
	words := append(strings.Fields(v.w.name), args...)
	v.s.lines = append(v.s.lines, statement{pos: at, words: words, units: true})
}

func (v *tomlValue) number(value any) {
	n, ok := value.(int64)
	if !ok {
		v.errorf(v.at, "%s, wanted a number without quotes", describe(value))
		return
	}
	v.say(v.at, strconv.FormatInt(n, 10))
}

func (v *tomlValue) flag(value any) {
	on, ok := value.(bool)
	switch {
	case !ok:
		v.errorf(v.at, "%s, wanted true or false", describe(value))
	case on:
		v.say(v.at)
	default:
		v.deny(v.at)
	}
}

func (v *tomlValue) oneString(value any) {
	text, ok := value.(string)
	switch {
	case !ok && v.w.name == "stats timeout":
		v.errorf(v.at, `%s, wanted a string with a unit, such as "30s"`, describe(value))
	case !ok && v.w.name == "buffer_budget":
		v.errorf(v.at, `%s, wanted a string with a unit, such as "64MiB"`, describe(value))
	case !ok:
		v.errorf(v.at, "%s, wanted a string", describe(value))
	case v.w.shape == verbatim:
		v.say(v.at, text)
	default:
		v.line(v.at, text)
	}
}

// line splits a string by HAProxy's grammar and adds the statement.
func (v *tomlValue) line(at Pos, text string) {
	args, err := haproxy.Split(text, os.LookupEnv)
	switch {
	case err != nil:
		v.errorf(at, "%q: %s", text, err)
	case len(args) == 0:
		v.errorf(at, "an empty string, wanted what follows '%s' in haproxy.cfg", v.w.name)
	case args[0] == "no" && deniable[v.w.name]:
		v.deny(at, args[1:]...)
	default:
		v.say(at, args...)
	}
}

// deny adds the statement `no word args...`.
func (v *tomlValue) deny(at Pos, args ...string) {
	words := append([]string{"no", v.w.name}, args...)
	v.s.lines = append(v.s.lines, statement{pos: at, words: words, units: true})
}

func (v *tomlValue) many(value any) {
	items, ok := value.([]any)
	if tables, isTables := value.([]map[string]any); isTables {
		for _, table := range tables {
			items = append(items, table)
		}
		ok = true
	}
	if !ok {
		items = []any{value}
	}
	for i, item := range items {
		at := v.itemAt(i, len(items))
		switch item := item.(type) {
		case string:
			v.line(at, item)
		case map[string]any:
			v.table(at, item)
		default:
			v.errorf(at, "%s, wanted a list of strings", describe(item))
		}
	}
}

// itemAt returns the position of item i. It is the position of the key if the lines of the items
// are unknown.
func (v *tomlValue) itemAt(i, count int) Pos {
	at := v.at
	if v.place != nil && len(v.place.items) == count {
		at.Line = v.place.items[i]
	}
	return at
}

func (v *tomlValue) dictionary(value any) {
	table, ok := value.(map[string]any)
	if !ok {
		v.errorf(v.at, `%s, wanted a table such as { connect = "5s" }`, describe(value))
		return
	}
	for _, key := range keysOf(table) {
		text, isText := table[key].(string)
		switch {
		case strings.Contains(key, "-"):
			v.errorf(v.at, "unknown key '%s', wanted '%s'", key, tomlKey(key))
		case !isText:
			v.errorf(v.at, `%s is %s, wanted a string with a unit, such as "5s"`, key, describe(table[key]))
		default:
			v.say(v.at, strings.ReplaceAll(key, "_", "-"), text)
		}
	}
}

func tomlType(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case int64:
		return "a number"
	case float64:
		return "a number with a fraction"
	case bool:
		return "true or false"
	case time.Time:
		return "a date"
	case map[string]any:
		return "a table"
	}
	return "a list"
}

// describe returns a description of a value of the wrong type.
func describe(value any) string {
	switch value := value.(type) {
	case string:
		return fmt.Sprintf("the string %q", value)
	case int64, float64, bool:
		return fmt.Sprintf("%v", value)
	}
	return tomlType(value)
}
