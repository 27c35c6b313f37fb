package admin

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// permissionDenied is HAProxy's answer to a command for which the level of the socket is too low.
const permissionDenied = "Permission denied\n"

// Result is the result of a reload.
type Result struct {
	OK       bool     // the new configuration is in use; after a dry run: it can replace the present one
	Messages []string // each is one line, without its end
}

// Generation is one configuration in use.
type Generation struct {
	Serial   int // 1: the configuration of the start; each reload adds 1
	Loaded   time.Time
	Sessions int
	Newest   bool // new connections use it
}

// reload answers as the master socket of HAProxy does (management.txt 9.4). Unlike HAProxy it
// refuses unknown arguments: a mistyped --dry-run must not reload.
func (c *client) reload(args []string) string {
	dryRun := slices.Equal(args, []string{"--dry-run"})
	switch {
	case c.level != "admin":
		return permissionDenied
	case len(args) > 0 && !dryRun:
		return fmt.Sprintf("reload: '%s' is not known, wanted nothing or --dry-run\n", strings.Join(args, " "))
	case c.Reload == nil:
		return answerOf(Result{Messages: []string{"this process cannot reload its configuration"}})
	}
	return answerOf(c.Reload(c.ctx, dryRun))
}

func answerOf(r Result) string {
	success := 0
	if r.OK {
		success = 1
	}
	var answer strings.Builder // a dry run can have a message for each of thousands of rules
	fmt.Fprintf(&answer, "Success=%d\n--\n", success)
	for _, m := range r.Messages {
		answer.WriteString(m + "\n")
	}
	return answer.String()
}

// showGenerations lists the configurations in use as a table, in the style of HAProxy's `show proc`.
func (c *client) showGenerations([]string) string {
	all, err := c.Generations(c.ctx)
	if err != nil {
		return "show generations: " + err.Error() + "\n"
	}
	const row = "%-15v %-27v %-15v %s\n"
	answer := fmt.Appendf(nil, row, "#<generation>", "<loaded>", "<sessions>", "<state>")
	for _, g := range all {
		state := "old"
		if g.Newest {
			state = "newest"
		}
		answer = fmt.Appendf(answer, row, g.Serial, g.Loaded.Format(time.RFC3339), g.Sessions, state)
	}
	return string(answer)
}
