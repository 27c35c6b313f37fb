package listen

import (
	"fmt"
	"strings"

	"sluice/engine/sock"
)

// ChangeKind is the kind of a Change.
type ChangeKind uint8

const (
	Added    ChangeKind = iota // sockets are opened
	Removed                    // sockets are closed, after their clients were accepted
	Moved                      // the same sockets get another frontend
	Adjusted                   // an option of open sockets changes
)

// Change is one difference between the present sockets and those of a new configuration.
type Change struct {
	Kind     ChangeKind
	Frontend string // name of the new frontend; of Removed, the name of the former one
	Text     string // for the operator, for example "bind 10.0.0.1:80 of frontend 'f' added"
}

// describe sets n.Changes.
func (n *Next) describe() {
	add := func(kind ChangeKind, b *Bind, what string) {
		n.Changes = append(n.Changes, Change{kind, b.Frontend, b.String() + what})
	}
	for i := range n.opened {
		add(Added, &n.opened[i], " added")
	}
	for _, k := range n.kept {
		if k.was.Frontend != k.is.Frontend {
			add(Moved, k.is, fmt.Sprintf(" moved from frontend '%s'", k.was.Frontend))
		}
		if what := differences(k.was.set, k.is.set); what != "" {
			add(Adjusted, k.is, ": "+what)
		}
	}
	for i := range n.Removed {
		add(Removed, &n.Removed[i], " removed")
	}
}

// differences returns the settings that change as text: the name, the old and the new value.
func differences(was, is sock.Settings) string {
	var all []string
	note := func(what string, was, is any) {
		if was != is {
			all = append(all, fmt.Sprintf("%s %s, was %s", what, valueText(is), valueText(was)))
		}
	}
	note("backlog", was.Backlog, is.Backlog)
	note("tfo", was.FastOpen, is.FastOpen)
	note("tcp-smart-accept", was.DelayACK, is.DelayACK)
	note("mode", was.Mode, is.Mode)
	note("user", was.User, is.User)
	note("group", was.Group, is.Group)
	note("uid", was.UID, is.UID)
	note("gid", was.GID, is.GID)
	return strings.Join(all, "; ")
}

// valueText returns the value of a setting as text.
func valueText(v any) string {
	switch v := v.(type) {
	case bool:
		if v {
			return "on"
		}
		return "off"
	case uint32:
		return fmt.Sprintf("%#o", v)
	case string:
		if v == "" {
			return "none"
		}
	}
	return fmt.Sprint(v)
}
