package conf

import (
	"bytes"
	"os"
	"slices"
	"strings"

	"sluice/conf/haproxy"
)

// readCfg parses a haproxy.cfg into sections of statements.
func readCfg(src Source, problems *Problems) []section {
	c := cfgReader{problems: problems}
	if nul := bytes.IndexByte(src.Data, 0); nul >= 0 {
		at := Pos{File: src.Name, Line: 1 + bytes.Count(src.Data[:nul], []byte("\n"))}
		problems.Errorf(at, "a NUL byte, wanted a text file")
		return nil
	}
	lines := slices.Collect(haproxy.Lines(src.Data, os.LookupEnv))
	c.indents = indents(lines)
	for _, line := range lines {
		at := Pos{File: src.Name, Line: line.Number}
		if line.Err != nil {
			problems.Errorf(at, "%s", line.Err)
			continue
		}
		c.line(at, line)
	}
	return c.sections
}

type cfgReader struct {
	problems *Problems
	sections []section
	indents  bool // most directives of this file are indented
	skip     bool // the current section is not supported or unknown; its lines are skipped
}

// indents reports whether most directives of a file are indented.
func indents(lines []haproxy.Line) bool {
	n := 0
	for _, l := range lines {
		switch {
		case l.Err != nil || kinds[l.Words[0]] != 0:
		case l.Indented:
			n++
		default:
			n--
		}
	}
	return n > 0
}

// otherSections are sections of HAProxy that are not supported.
var otherSections = map[string]bool{
	"peers": true, "resolvers": true, "userlist": true, "mailers": true, "cache": true, "program": true,
	"ring": true, "log-forward": true, "log-profile": true, "http-errors": true, "fcgi-app": true,
	"crt-store": true, "traces": true, "acme": true, "dynamic-update": true,
}

func (c *cfgReader) line(at Pos, line haproxy.Line) {
	words := line.Words
	switch first := words[0]; {
	case kinds[first] != 0:
		c.skip = false
		c.open(at, words)
	case otherSections[first]:
		c.skip = true
		c.problems.Errorf(at, "section '%s': not supported; remove it", strings.Join(words, " "))
	case c.isUnknownSection(line):
		c.skip = true
		c.problems.Errorf(at, "section '%s': not known, wanted global, defaults, frontend, backend or listen%s", strings.Join(words, " "), sectionHint(first))
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

// isUnknownSection reports whether a line starts a section of an unknown kind. Its first word must
// not be a directive. Also, the word must resemble the name of a section, or the line must be
// unindented in a file whose directives are indented.
func (c *cfgReader) isUnknownSection(line haproxy.Line) bool {
	first := line.Words[0]
	if isDirective(first) || strings.HasPrefix(first, ".") || strings.HasPrefix(first, "[") {
		return false
	}
	return !line.Indented && c.indents || suggest(first, keysOf(kinds), "") != ""
}

// sectionHint returns a suggestion for a word that is not the name of a section, or "".
func sectionHint(first string) string {
	if strings.HasPrefix(first, "[") {
		return "; is this TOML? then its name must end in .toml"
	}
	return suggest(first, keysOf(kinds), "")
}

// open starts a section: `kind [name] [from defaults]`.
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
