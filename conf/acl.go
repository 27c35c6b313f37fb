package conf

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/conf/haproxy"
)

// matchers are the possible arguments of -m (configuration.txt 7.1).
var matchers = []string{"found", "bool", "int", "ip", "bin", "len", "str", "sub", "reg", "beg", "end", "dir", "dom"}

// ParseACL parses the arguments of an `acl` directive: a name, a fetch with its converters, flags
// and patterns (configuration.txt 7.1). On an error in the fetch, flags or patterns it still
// returns an ACL with the name. On an error in the name it returns nil.
func ParseACL(at Pos, words []string) (*ACL, error) {
	if len(words) == 0 {
		return nil, errors.New("nothing follows, wanted NAME FETCH [FLAGS] [VALUES]")
	}
	name := words[0]
	if fault := nameFault(name); fault != "" {
		return nil, errors.New(fault)
	}
	a, err := parseTest(at, words[1:])
	if err != nil {
		return &ACL{Name: name, Pos: at}, fmt.Errorf("acl '%s': %w", name, err)
	}
	a.Name = name
	return a, nil
}

// parseTest parses a fetch with converters, then flags, then patterns.
func parseTest(at Pos, words []string) (*ACL, error) {
	if len(words) == 0 {
		return nil, errors.New("no fetch, wanted one such as src or hdr(host)")
	}
	a := &ACL{Pos: at}
	calls, err := parseExpr(words[0])
	if err != nil {
		return nil, err
	}
	a.Keyword, a.Args = calls[0].Name, calls[0].Args
	if len(calls) > 1 {
		a.Converters = calls[1:]
	}
	rest, err := a.flags(words[1:])
	if len(rest) > 0 {
		a.Patterns = slices.Clone(rest)
	}
	return a, err
}

// flags parses the flags before the patterns and returns the patterns.
func (a *ACL) flags(words []string) ([]string, error) {
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		flag := words[0]
		words = words[1:]
		switch flag {
		case "--":
			return words, nil
		case "-i":
			a.IgnoreCase = true
		case "-n":
			// no effect: patterns are never resolved by DNS here
		case "-f", "-m", "-u":
			if len(words) == 0 {
				return nil, fmt.Errorf("nothing follows %s", flag)
			}
			if err := a.flag(flag, words[0]); err != nil {
				return nil, err
			}
			words = words[1:]
		default:
			return nil, fmt.Errorf("flag '%s' is not supported, wanted -i, -f, -m, -n, -u, or -- before a value that begins with '-'", flag)
		}
	}
	return words, nil
}

func (a *ACL) flag(flag, arg string) error {
	switch flag {
	case "-f":
		a.Files = append(a.Files, arg)
	case "-m":
		if !slices.Contains(matchers, arg) {
			return fmt.Errorf("-m '%s', wanted %s", arg, list(matchers))
		}
		a.Match = arg
	}
	return nil
}

// Words returns the ACL as the arguments of an `acl` directive. An anonymous ACL has no name.
func (a *ACL) Words() []string {
	var w []string
	if a.Name != "" {
		w = append(w, a.Name)
	}
	w = append(w, formatExpr(append([]Call{{a.Keyword, a.Args}}, a.Converters...)))
	if a.IgnoreCase {
		w = append(w, "-i")
	}
	if a.Match != "" {
		w = append(w, "-m", a.Match)
	}
	for _, f := range a.Files {
		w = append(w, "-f", f)
	}
	if len(a.Patterns) > 0 && strings.HasPrefix(a.Patterns[0], "-") {
		w = append(w, "--")
	}
	return append(w, a.Patterns...)
}

func (a *ACL) String() string { return haproxy.Join(a.Words()) }
