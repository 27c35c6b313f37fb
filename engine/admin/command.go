package admin

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/pool"
	"sluice/pool/stat"
)

// command is one command of the stats socket.
type command struct {
	words string // the words of the command
	args  string // description of the arguments, for help
	help  string
	run   func(c *client, args []string) string
}

// commands returns all commands, in the order of help.
func commands() []command {
	return []command{
		{"show generations", "", "list the configurations in use and their sessions", (*client).showGenerations},
		{"show info", "", "report information about the running process", (*client).showInfo},
		{"show stat", " [<iid|proxy> <type> <sid>] [no-maint|up]", "report counters for each proxy and server", (*client).showStat},
		{"reload", " [--dry-run]", "apply the configuration files again, or only list what would change", (*client).reload},
		{"help", " [<command>]", "list matching or all commands", (*client).showHelp},
		{"prompt", "", "toggle interactive mode with prompt", (*client).togglePrompt},
		{"quit", "", "disconnect", (*client).quit},
	}
}

// ofConnection are the commands about the connection itself. Each help contains them.
var ofConnection = []string{"help", "prompt", "quit"}

// answer runs one command and returns its answer, without the empty line that ends each answer.
func (c *client) answer(cmd string) string {
	words := split(cmd)
	for _, known := range commands() {
		if called := strings.Fields(known.words); hasPrefix(words, called) {
			return known.run(c, words[len(called):])
		}
	}
	if len(words) == 0 {
		return "Unknown command. Please enter one of the following commands only:\n" + usage(nil)
	}
	return "Unknown command, but maybe one of the following ones is a better match:\n" + usage(words)
}

// split splits a command into words. A NUL byte ends the command, as in HAProxy.
func split(cmd string) []string {
	cmd, _, _ = strings.Cut(cmd, "\x00")
	return strings.FieldsFunc(cmd, func(r rune) bool { return r == ' ' || r == '\t' })
}

func hasPrefix(words, prefix []string) bool {
	if len(words) < len(prefix) {
		return false
	}
	for i, w := range prefix {
		if words[i] != w {
			return false
		}
	}
	return true
}

// usage describes the commands that have the same first word as words, and those about the
// connection. If there is no such command, it describes all.
func usage(words []string) string {
	var alike, always, all strings.Builder
	known := false
	for _, cmd := range commands() {
		text := fmt.Sprintf("  %-40s: %s\n", cmd.words+cmd.args, cmd.help)
		first, _, _ := strings.Cut(cmd.words, " ")
		fits := len(words) > 0 && first == words[0]
		known = known || fits
		switch {
		case slices.Contains(ofConnection, cmd.words):
			always.WriteString(text)
		case fits:
			alike.WriteString(text)
		}
		all.WriteString(text)
	}
	if known {
		return alike.String() + always.String()
	}
	return all.String()
}

func (c *client) showHelp(args []string) string {
	return "The following commands are valid at this level:\n" + usage(args)
}

func (c *client) togglePrompt([]string) string {
	c.prompt = !c.prompt
	return ""
}

func (c *client) quit([]string) string {
	c.leaving = true
	return ""
}

// otherFormats are answer formats of HAProxy that are not supported. Other unknown arguments of
// `show info` and `show stat` are ignored, as in HAProxy. But a tool that asks for JSON must not
// get CSV.
var otherFormats = []string{"typed", "json", "desc", "float"}

// formatFault returns an error if the arguments ask for an unsupported format.
func formatFault(cmd string, args []string) error {
	for _, a := range args {
		if slices.Contains(otherFormats, a) {
			return fmt.Errorf("%s: '%s' is not supported; leave it out", cmd, a)
		}
	}
	return nil
}

func (c *client) showInfo(args []string) string {
	if err := formatFault("show info", args); err != nil {
		return err.Error() + "\n"
	}
	return string(c.View().appendInfo(nil))
}

func (c *client) showStat(args []string) string {
	want, err := c.parseFilter(args)
	if err != nil {
		return err.Error() + "\n"
	}
	answer := appendHeader(nil)
	for r := range c.View().rows(stat.Now()) {
		if want.matches(r) {
			answer = appendRow(answer, r, c.seesLegends())
		}
	}
	return string(answer)
}

// filter selects rows of `show stat` (management.txt 9.3).
type filter struct {
	iid, types, sid int // -1: any; types are the bits of stat.Scope
	noMaint, up     bool
}

func (c *client) parseFilter(args []string) (filter, error) {
	f := filter{iid: -1, types: -1, sid: -1}
	if len(args) >= 3 {
		if err := f.parseIDs(c.View(), args[:3]); err != nil {
			return f, err
		}
		args = args[3:]
	}
	f.noMaint, f.up = slices.Contains(args, "no-maint"), slices.Contains(args, "up")
	return f, formatFault("show stat", args)
}

func (f *filter) parseIDs(v *View, args []string) (err error) {
	if f.iid, err = v.proxy(args[0]); err != nil {
		return err
	}
	for i, to := range []*int{&f.types, &f.sid} {
		if *to, err = strconv.Atoi(args[i+1]); err != nil {
			return fmt.Errorf("show stat: '%s' is no number, wanted <iid|proxy> <type> <sid>, -1 for any", args[i+1])
		}
	}
	return nil
}

// proxy returns the ID of a frontend or backend. name is its name, or its ID with or without a '#'.
// -1 stands for all.
func (v *View) proxy(name string) (int, error) {
	for _, f := range v.Frontends {
		if f.Conf.Name == name {
			return f.ID, nil
		}
	}
	for _, b := range v.Backends {
		if b.Name == name {
			return b.ID(), nil
		}
	}
	if id, err := strconv.Atoi(strings.TrimPrefix(name, "#")); err == nil && id != 0 {
		return id, nil
	}
	return 0, errors.New("No such proxy.") //nolint:staticcheck // HAProxy's text
}

func (f filter) matches(r *stat.Row) bool {
	if f.iid >= 0 && r.ProxyID != f.iid || f.types&int(r.Scope) == 0 || f.sid >= 0 && r.Scope == stat.ForServer && r.ServerID != f.sid {
		return false
	}
	if r.Scope != stat.ForServer {
		return true
	}
	maint, down := r.Status == pool.Maint.String(), r.Status == pool.Down.String()
	return !(f.noMaint && maint) && !(f.up && (maint || down))
}
