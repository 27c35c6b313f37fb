package conf

import (
	"fmt"
	"strings"
)

// statement is one directive in HAProxy's words.
type statement struct {
	pos   Pos
	words []string
	units bool // a time or size without a unit is an error: TOML
}

// section is one global, defaults, frontend, backend or listen section.
type section struct {
	kind  string
	name  string
	from  string // the defaults section named by `from`
	pos   Pos
	lines []statement
}

// scope says in which kinds of sections a word has a meaning.
type scope uint8

const (
	inGlobal scope = 1 << iota
	inDefaults
	inFront
	inBack

	inProxies = inDefaults | inFront | inBack
)

var kinds = map[string]scope{
	"global":   inGlobal,
	"defaults": inDefaults,
	"frontend": inFront,
	"backend":  inBack,
	"listen":   inFront | inBack,
}

// title names the section in messages: `backend 'x'`, or `global`.
func (s section) title() string {
	if s.name == "" {
		return s.kind
	}
	return fmt.Sprintf("%s '%s'", s.kind, s.name)
}

// longestName keeps names on one line of a log.
const longestName = 255

// nameFault says what is wrong with a name, or "".
func nameFault(name string) string {
	if name == "" {
		return "no name follows"
	}
	if len(name) > longestName {
		return fmt.Sprintf("a name of %d characters, wanted at most %d", len(name), longestName)
	}
	if r, bad := badNameRune(name); bad {
		return fmt.Sprintf("%q in the name '%s', wanted letters, digits, '-', '_', '.' or ':'", r, name)
	}
	return ""
}

// shown quotes a word for a message, where there is one.
func shown(word string) string {
	if word == "" {
		return "nothing follows"
	}
	return "'" + word + "'"
}

// after quotes the argument of a word for a message, where there is one.
func after(word, arg string) string {
	if arg == "" {
		return "nothing follows '" + word + "'"
	}
	return word + " '" + arg + "'"
}

// badNameRune returns the first character of a name that HAProxy does not
// permit in names of proxies, servers and ACLs (configuration.txt 4).
func badNameRune(name string) (rune, bool) {
	for _, r := range name {
		ok := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.:", r)
		if !ok {
			return r, true
		}
	}
	return 0, false
}
