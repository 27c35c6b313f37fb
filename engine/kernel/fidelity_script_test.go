package kernel_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A script is a sequence as text. Each line is a step: the name of its action, its slots (s0, s1,
// ...), its number, and its flags. A line that begins with "#" is a comment.

// flagName is the name of a flag, or of several flags.
type flagName struct {
	text  string
	value int
}

var eventNames = []flagName{
	{"IN", unix.EPOLLIN}, {"PRI", unix.EPOLLPRI}, {"OUT", unix.EPOLLOUT}, {"ERR", unix.EPOLLERR},
	{"HUP", unix.EPOLLHUP}, {"RDHUP", unix.EPOLLRDHUP}, {"ET", unix.EPOLLET}, {"ONESHOT", unix.EPOLLONESHOT},
}

var addressNames = []flagName{{"ANY", 1}, {"SIX", 2}}

var messageNames = []flagName{
	{"OOB", unix.MSG_OOB}, {"PEEK", unix.MSG_PEEK}, {"MORE", unix.MSG_MORE},
}

// actions are all kinds of steps.
var actions = []*action{
	aSocket, aBind, aBindPort, aBindName, aBindLike, aListen, aConnect, aConnectName, aAccept, aSend, aFastOpen, aWrite,
	aRead, aRecv, aShutdown, aClose, aDup, aLocal, aPeer, aOption, aUnsent, aInfo, aEpoll, aAdd, aModify,
	aDelete, aWait, aEventfd, aTimerfd, aTimer, aExpire, aPipe, aPipeSize, aSplice, aPoll, aBlind,
}

// names returns the names of the flags of the action's steps.
func (a *action) names() []flagName {
	switch a {
	case aAdd, aModify, aDelete:
		return eventNames
	case aBindPort:
		return addressNames
	}
	return messageNames
}

// second reports whether the steps have a second slot.
func (a *action) second() bool {
	return a.uses == 2 || a == aAccept || a == aDup || a == aPipe
}

func (s step) String() string {
	text := fmt.Sprint(s.do.name, " s", s.a)
	if s.do.second() {
		text += fmt.Sprint(" s", s.b)
	}
	if s.do == aOption {
		return text + fmt.Sprint(" ", options[s.flags].text, " ", s.n)
	}
	if s.n != 0 {
		text += fmt.Sprint(" ", s.n)
	}
	if s.flags != 0 {
		text += " " + flagText(s.do.names(), s.flags)
	}
	return text
}

func flagText(names []flagName, flags int) string {
	var set []string
	for _, f := range names {
		if flags&f.value != 0 {
			set = append(set, f.text)
			flags &^= f.value
		}
	}
	if flags != 0 || len(set) == 0 {
		set = append(set, fmt.Sprintf("%#x", flags))
	}
	return strings.Join(set, "|")
}

// scriptOf returns a sequence as text.
func scriptOf(steps []step) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

// parseScript is the reverse of scriptOf.
func parseScript(text string) ([]step, error) {
	var steps []step
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		s, err := parseStep(fields)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", strings.TrimSpace(line), err)
		}
		steps = append(steps, s)
	}
	return steps, nil
}

func parseStep(fields []string) (step, error) {
	i := slices.IndexFunc(actions, func(a *action) bool { return a.name == fields[0] })
	if i < 0 {
		return step{}, fmt.Errorf("no action %q", fields[0])
	}
	s := step{do: actions[i]}
	into := []*int{&s.a, &s.b}
	for _, word := range fields[1:] {
		slot, isSlot := strings.CutPrefix(word, "s")
		n, err := strconv.Atoi(slot)
		switch {
		case isSlot && err == nil && len(into) > 0 && n < slots:
			*into[0], into = n, into[1:]
		case err == nil && !isSlot:
			s.n = n
		default:
			if s.flags, err = parseFlags(s.do, word); err != nil {
				return step{}, err
			}
		}
	}
	return s, nil
}

func parseFlags(do *action, word string) (int, error) {
	flags := 0
	for name := range strings.SplitSeq(word, "|") {
		if do == aOption {
			for i, o := range options {
				if o.text == name {
					return i, nil
				}
			}
		}
		i := slices.IndexFunc(do.names(), func(f flagName) bool { return f.text == name })
		if i >= 0 {
			flags |= do.names()[i].value
			continue
		}
		n, err := strconv.ParseInt(name, 0, 32)
		if err != nil {
			return 0, fmt.Errorf("no flag %q", name)
		}
		flags |= int(n)
	}
	return flags, nil
}
