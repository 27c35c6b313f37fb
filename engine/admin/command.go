package admin

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sluice/engine/stat"
	"sluice/pool"
)

// command is one thing the operator can ask for.
type command struct {
	words string // that call it
	args  string // how what follows is described
	help  string
	run   func(c *client, args []string) string
}

// commands lists them as help does.
func commands() []command {
	return []command{
		{"show info", "", "report information about the running process", (*client).showInfo},
		{"show stat", " [<iid|proxy> <type> <sid>] [no-maint|up]", "report counters for each proxy and server", (*client).showStat},
		{"help", " [<command>]", "list matching or all commands", (*client).showHelp},
		{"prompt", "", "toggle interactive mode with prompt", (*client).togglePrompt},
		{"quit", "", "disconnect", (*client).quit},
	}
}

// answer runs one command and returns what to write, without the empty line
// that ends each answer.
func (c *client) answer(line string) string {
	words := strings.Fields(line)
	for _, cmd := range commands() {
		if called := strings.Fields(cmd.words); hasPrefix(words, called) {
			return cmd.run(c, words[len(called):])
		}
	}
	if len(words) == 0 {
		return ""
	}
	return "Unknown command, but maybe one of the following ones is a better match:\n" + usage(words)
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

// usage describes the commands that begin with the first of words, or all if
// there is none such, and how to get help and to leave.
func usage(words []string) string {
	var alike, always, all strings.Builder
	for _, cmd := range commands() {
		text := fmt.Sprintf("  %-40s: %s\n", cmd.words+cmd.args, cmd.help)
		first, _, more := strings.Cut(cmd.words, " ")
		switch {
		case !more:
			always.WriteString(text)
		case len(words) > 0 && first == words[0]:
			alike.WriteString(text)
		}
		all.WriteString(text)
	}
	if alike.Len() > 0 {
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

func (c *client) showInfo(args []string) string {
	if len(args) > 0 {
		return fmt.Sprintf("show info: '%s' is not supported, wanted nothing behind it\n", args[0])
	}
	var w strings.Builder
	c.view().info(&w)
	return w.String()
}

func (c *client) showStat(args []string) string {
	want, err := c.parseFilter(args)
	if err != nil {
		return err.Error() + "\n"
	}
	var w strings.Builder
	w.WriteString("# " + strings.Join(columns, ",") + ",\n")
	for _, r := range c.view().rows(stat.Now(), c.legends) {
		if want.matches(r) {
			r.csv(&w)
		}
	}
	return w.String()
}

// filter says which rows of `show stat` are wanted (management.txt 9.3).
type filter struct {
	iid, types, sid int // -1: any; types is a mask of 1 << type
	noMaint, up     bool
}

func (c *client) parseFilter(args []string) (filter, error) {
	f := filter{iid: -1, types: -1, sid: -1}
	if len(args) >= 3 {
		if err := f.parseIDs(c.view(), args[:3]); err != nil {
			return f, err
		}
		args = args[3:]
	}
	for _, a := range args {
		switch a {
		case "no-maint":
			f.noMaint = true
		case "up":
			f.up = true
		default:
			return f, fmt.Errorf("show stat: '%s' is not supported, wanted [<iid|proxy> <type> <sid>] [no-maint|up]", a)
		}
	}
	return f, nil
}

func (f *filter) parseIDs(v *View, args []string) (err error) {
	if f.iid, err = strconv.Atoi(args[0]); err != nil {
		if f.iid, err = v.proxy(args[0]); err != nil {
			return err
		}
	}
	for i, to := range []*int{&f.types, &f.sid} {
		if *to, err = strconv.Atoi(args[i+1]); err != nil {
			return fmt.Errorf("show stat: '%s' is no number, wanted <iid|proxy> <type> <sid>, -1 for any", args[i+1])
		}
	}
	return nil
}

// proxy returns the ID of the frontend or backend of that name.
func (v *View) proxy(name string) (int, error) {
	for _, f := range v.Frontends {
		if f.Conf.Name == name {
			return f.ID, nil
		}
	}
	for _, b := range v.Backends {
		if b.Name == name {
			return b.ID, nil
		}
	}
	return 0, errors.New("No such proxy.") //nolint:staticcheck // HAProxy's words
}

func (f filter) matches(r row) bool {
	kind := r["type"].(int)
	if f.iid >= 0 && r["iid"] != f.iid || f.types&(1<<kind) == 0 || f.sid >= 0 && kind == typeServer && r["sid"] != f.sid {
		return false
	}
	state, ok := r["status"].(pool.State)
	return !ok || !(f.noMaint && state.Status == pool.Maint) && !(f.up && (state.Status == pool.Maint || state.Status == pool.Down))
}
