package conf

import (
	"fmt"
	"strings"
)

// statement is one directive in HAProxy's language.
type statement struct {
	pos   Pos
	words []string
	units bool // from TOML: a time or size without a unit is an error
}

// section is one global, defaults, frontend, backend or listen section.
type section struct {
	kind  string
	name  string
	from  string // name of the defaults section given by `from`; empty: none
	pos   Pos
	lines []statement
}

// scope is the set of section kinds in which a directive is allowed.
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

// title returns the name of the section for messages: `backend 'x'` or `global`.
func (s section) title() string {
	if s.name == "" {
		return s.kind
	}
	return fmt.Sprintf("%s '%s'", s.kind, s.name)
}

// longestName is the longest name in bytes. It keeps messages and log lines short.
const longestName = 255

// nameFault returns a description of the error in a name, or "".
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

// shown returns a word in quotes for a message, or "nothing follows" if it is empty.
func shown(word string) string {
	if word == "" {
		return "nothing follows"
	}
	return "'" + word + "'"
}

// after returns a keyword with its argument in quotes for a message, or says that the argument is
// missing.
func after(word, arg string) string {
	if arg == "" {
		return "nothing follows '" + word + "'"
	}
	return word + " '" + arg + "'"
}

// badNameRune returns the first character that HAProxy does not allow in names of proxies, servers
// and ACLs (configuration.txt 4).
func badNameRune(name string) (rune, bool) {
	for _, r := range name {
		ok := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.:", r)
		if !ok {
			return r, true
		}
	}
	return 0, false
}
