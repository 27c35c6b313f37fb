package conf

import (
	"bytes"
	"os"
	"strings"

	"sluice/conf/haproxy"
)

// readCfg cuts a haproxy.cfg into sections of statements.
func readCfg(src Source, problems *Problems) []section {
	c := cfgReader{problems: problems}
	if nul := bytes.IndexByte(src.Data, 0); nul >= 0 {
		at := Pos{File: src.Name, Line: 1 + bytes.Count(src.Data[:nul], []byte("\n"))}
		problems.Errorf(at, "a NUL byte, wanted a text file")
		return nil
	}
	for line := range haproxy.Lines(src.Data, os.LookupEnv) {
		at := Pos{File: src.Name, Line: line.Number}
		if line.Err != nil {
			problems.Errorf(at, "%s", line.Err)
			continue
		}
		c.line(at, line.Words)
	}
	return c.sections
}

type cfgReader struct {
	problems *Problems
	sections []section
	skip     bool // inside a section that is not known here
}

// otherSections are HAProxy's sections that have no meaning here yet.
var otherSections = map[string]bool{
	"peers": true, "resolvers": true, "userlist": true, "mailers": true, "cache": true, "program": true,
	"ring": true, "log-forward": true, "log-profile": true, "http-errors": true, "fcgi-app": true,
	"crt-store": true, "traces": true, "acme": true, "dynamic-update": true,
}

func (c *cfgReader) line(at Pos, words []string) {
	switch first := words[0]; {
	case kinds[first] != 0:
		c.skip = false
		c.open(at, words)
	case otherSections[first]:
		c.skip = true
		c.problems.Errorf(at, "section '%s': not supported; remove it", strings.Join(words, " "))
	case strings.HasPrefix(first, "."):
		c.problems.Errorf(at, "'%s': conditional blocks are not supported; write out the branch you want", first)
	case c.skip:
	case len(c.sections) == 0:
		c.skip = true
		c.problems.Errorf(at, "'%s' outside of a section; wanted global, defaults, frontend, backend or listen first%s", first, sectionHint(first))
	default:
		s := &c.sections[len(c.sections)-1]
		s.lines = append(s.lines, statement{pos: at, words: words})
	}
}

// sectionHint guesses what was meant by a word that begins no section.
func sectionHint(first string) string {
	if strings.HasPrefix(first, "[") {
		return "; is this TOML? then its name must end in .toml"
	}
	return suggest(first, keysOf(kinds), "")
}

// open begins a section: `kind [name] [from defaults]`.
func (c *cfgReader) open(at Pos, words []string) {
	s := section{kind: words[0], pos: at}
	rest := words[1:]
	if len(rest) > 0 && (rest[0] != "from" || s.kind != "defaults") {
		s.name, rest = rest[0], rest[1:]
	}
	if len(rest) > 1 && rest[0] == "from" {
		s.from, rest = rest[1], rest[2:]
	}
	if len(rest) > 0 {
		hint := "wanted the end of the line"
		switch s.kind {
		case "global":
		case "frontend", "listen":
			hint = "addresses stand on 'bind' lines; wanted 'from' and the name of a defaults section, or the end of the line"
		default:
			hint = "wanted 'from' and the name of a defaults section, or the end of the line"
		}
		c.problems.Errorf(at, "'%s' after %s: %s", strings.Join(rest, " "), s.title(), hint)
	}
	if s.kind == "global" && s.name != "" {
		c.problems.Errorf(at, "'%s' after global: wanted the end of the line", s.name)
		s.name = ""
	}
	c.sections = append(c.sections, s)
}
