package diff

import (
	"slices"
	"strings"

	"sluice/conf"
)

// fixed are the items of the global section that a process takes at its start only, with the
// reason.
var fixed = map[string]string{
	"nbthread":      "the event loops are made at the start",
	"uid":           rights,
	"gid":           rights,
	"user":          rights,
	"group":         rights,
	"setcap":        rights,
	"chroot":        "a process cannot leave its chroot",
	"ulimit-n":      "the descriptors are divided at the start",
	"daemon":        "a process goes to the background at the start",
	"master-worker": "the processes are made at the start",
	"pidfile":       "the pid file is written at the start",
	"log-tag":       "the log is opened at the start with its tag",

	"buffer_budget": "the memory is divided at the start",
}

const rights = "a process that has dropped its rights cannot take others"

// Fixed returns why a running process cannot make the change, so that it takes a restart. It
// returns "" for a change that a process can make.
func (c Change) Fixed() string {
	switch {
	case c.Section != "global":
		return ""
	case c.Kind == StatsSocket:
		return "stats sockets are opened at the start"
	}
	return fixed[c.Item]
}

// Start is what a process has taken from its configuration at its start only.
type Start struct{ lines []conf.Line }

// StartOf returns the start of a process with this configuration. It keeps nothing of c in memory
// except copies of a few lines.
func StartOf(c *conf.Config) Start {
	s := Start{lines: fixedLines(c)}
	for i := range s.lines {
		l := &s.lines[i]
		l.Params = slices.Clone(l.Params)
		for j := range l.Params {
			l.Params[j].Values = clones(l.Params[j].Values)
		}
	}
	return s
}

// clones returns copies of texts that may be parts of a whole file.
func clones(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = strings.Clone(text)
	}
	return all
}

// Restart returns the changes from the start to a configuration that take a restart. Fixed tells why
// for each of them.
func (s Start) Restart(c *conf.Config) []Change { return compare("global", s.lines, fixedLines(c)) }

// fixedLines returns the lines of the global section whose changes have a reason in Fixed.
func fixedLines(c *conf.Config) []conf.Line {
	return slices.DeleteFunc(conf.GlobalLines(c), func(l conf.Line) bool {
		return fixed[l.Name] == "" && directives[l.Name].kind != StatsSocket
	})
}
