package conf

import (
	"io/fs"
	"slices"
	"strings"
)

// Source is one configuration file in memory. Its format is TOML if Name ends in .toml, and
// haproxy.cfg otherwise.
type Source struct {
	Name string
	Data []byte
}

// ParseString is Parse for one configuration in a string.
func ParseString(name, text string) (*Config, Problems) {
	return Parse(Source{name, []byte(text)})
}

// Parse parses configuration files and checks them together. A defaults section applies to the
// files after it too, as with several -f options of HAProxy. Parse returns all problems in the
// order of the files. The Config is nil if one of them is an error.
func Parse(sources ...Source) (*Config, Problems) {
	cfg, problems := Draft(Disk{}, sources...)
	if problems.Err() != nil {
		return nil, problems
	}
	return cfg, problems
}

// Draft is Parse for callers that make further checks. It returns a Config even if there are
// errors; such a Config must not be run. The files that the configuration names, such as error files,
// are read from files, by the paths as they are written.
func Draft(files fs.FS, sources ...Source) (*Config, Problems) {
	var problems Problems
	var sections []section
	for _, src := range sources {
		read := readCfg
		if strings.HasSuffix(src.Name, ".toml") {
			read = readTOML
		}
		sections = append(sections, read(src, &problems)...)
	}
	cfg := build(files, sections, &problems)
	found := Check(cfg)
	if problems.Err() != nil {
		found = found.errors() // a warning may only be a consequence of a line that could not be parsed
	}
	problems = append(problems, found...)
	inOrder(problems, sources)
	return cfg, problems
}

// inOrder sorts problems by file and line. Problems with the same line, or without a line, keep
// their order.
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
