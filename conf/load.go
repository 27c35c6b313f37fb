package conf

import (
	"slices"
	"strings"
)

// Source is one configuration file in memory. A Name that ends in .toml says
// TOML, any other haproxy.cfg.
type Source struct {
	Name string
	Data []byte
}

// ParseString is Parse for one configuration in a string.
func ParseString(name, text string) (*Config, Problems) {
	return Parse(Source{name, []byte(text)})
}

// Parse reads configuration files and checks them as one: a defaults section
// reaches into the files after it, as with HAProxy's repeated -f. All problems
// are reported at once, in the order of the files; the Config is nil when one
// of them is an error.
func Parse(sources ...Source) (*Config, Problems) {
	cfg, problems := Draft(sources...)
	if problems.Err() != nil {
		return nil, problems
	}
	return cfg, problems
}

// Draft is Parse for rooms that look further: with errors too it returns what
// could be read, which must not be run.
func Draft(sources ...Source) (*Config, Problems) {
	var problems Problems
	var sections []section
	for _, src := range sources {
		read := readCfg
		if strings.HasSuffix(src.Name, ".toml") {
			read = readTOML
		}
		sections = append(sections, read(src, &problems)...)
	}
	cfg := build(sections, &problems)
	found := Check(cfg)
	if problems.Err() != nil {
		found = found.errors() // a warning may only follow from a line that could not be read
	}
	problems = append(problems, found...)
	inOrder(problems, sources)
	return cfg, problems
}

// inOrder sorts problems by file and line; those of one line, and those
// without a line, keep their order.
func inOrder(problems Problems, sources []Source) {
	file := make(map[string]int)
	for i, src := range sources {
		file[src.Name] = i
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		if d := file[a.Pos.File] - file[b.Pos.File]; d != 0 {
			return d
		}
		return a.Pos.Line - b.Pos.Line
	})
}
