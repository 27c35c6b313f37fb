package conf

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// reader parses one statement. args are the words after the directive's name.
type reader struct {
	*builder
	p     *proxy // nil in the global section
	at    Pos
	where string // the section as named in messages: `backend 'x'`
	name  string
	args  []string
	units bool
	off   bool // the statement is `no option ...`
}

// dispatch looks up the directive and calls its parse function.
func (r *reader) dispatch(in scope) {
	if r.args[0] == "no" && len(r.args) > 1 {
		r.off, r.args = true, r.args[1:]
	}
	r.name, r.args = r.args[0], r.args[1:]
	if len(r.args) > 0 && wordsByName()[r.name+" "+r.args[0]] != nil {
		r.name, r.args = r.name+" "+r.args[0], r.args[1:]
	}
	w, fits := wordFor(r.name, in)
	switch {
	case w == nil:
		r.unknown(in)
	case !fits:
		r.misplaced(w, in)
	case r.off && !deniable[r.name]:
		r.errorf("'no' is for option, log, daemon and strict-limits only")
	default:
		w.parse(r)
		if r.p != nil {
			r.p.own[r.name] = r.at
		} else {
			r.cfg.Global.At[r.name] = r.at
		}
	}
}

var deniable = map[string]bool{"option": true, "log": true, "daemon": true, "strict-limits": true}

// misplaced reports a directive in the wrong kind of section. It is only a warning if a defaults
// section may contain the directive, as in HAProxy.
func (r *reader) misplaced(w *word, in scope) {
	switch {
	case in&(inFront|inBack) != 0 && w.scope&inDefaults != 0:
		r.warnf("ignored, it belongs into a %s", w.scope.home())
	default:
		r.errorf("it belongs into a %s", w.scope.home())
	}
}

// home returns the names of the sections of a scope, for messages.
func (s scope) home() string {
	switch {
	case s&(inFront|inBack) == inFront|inBack:
		return "proxy: a frontend, backend or listen section"
	case s&inFront != 0:
		return "frontend or listen section"
	case s&inBack != 0:
		return "backend or listen section"
	}
	return "global section"
}

func (r *reader) errorf(format string, args ...any) {
	r.problems.Errorf(r.at, "'%s' in %s: %s", r.name, r.where, fmt.Sprintf(format, args...))
}

func (r *reader) warnf(format string, args ...any) {
	r.problems.Warnf(r.at, "'%s' in %s: %s", r.name, r.where, fmt.Sprintf(format, args...))
}

// next removes and returns the next argument, or returns "" if there is none.
func (r *reader) next() string {
	if len(r.args) == 0 {
		return ""
	}
	arg := r.args[0]
	r.args = r.args[1:]
	return arg
}

// only returns the single argument. what describes the allowed values.
func (r *reader) only(what string) (string, bool) {
	arg := r.next()
	if arg == "" {
		r.errorf("nothing follows, wanted %s", what)
		return "", false
	}
	return arg, r.end()
}

// end reports an error if an argument is left.
func (r *reader) end() bool {
	if len(r.args) == 0 {
		return true
	}
	r.errorf("found '%s' at the end, wanted nothing more", strings.Join(r.args, " "))
	return false
}

// text parses a single argument that may be used in a log line or a path.
func (r *reader) text(what string, into *string) {
	arg, ok := r.only(what)
	if !ok {
		return
	}
	if !utf8.ValidString(arg) || strings.ContainsFunc(arg, unicode.IsControl) {
		r.errorf("%q, wanted %s in UTF-8 without control characters", arg, what)
		return
	}
	*into = arg
}

// number parses a single argument as a number between lowest and highest.
func (r *reader) number(lowest, highest int, into *int) {
	arg, ok := r.only(fmt.Sprintf("a number from %d to %d", lowest, highest))
	if ok {
		r.atoi(r.name, arg, lowest, highest, into)
	}
}

// atoi parses a number. what is the keyword before it, for messages.
func (r *reader) atoi(what, arg string, lowest, highest int, into *int) bool {
	n, err := strconv.Atoi(arg)
	if err == nil && lowest <= n && n <= highest {
		*into = n
		return true
	}
	if what == r.name {
		r.errorf("'%s', wanted a number from %d to %d", arg, lowest, highest)
	} else {
		r.errorf("%s, wanted a number from %d to %d", after(what, arg), lowest, highest)
	}
	return false
}

// duration parses a time. what is the keyword before it, for messages.
func (r *reader) duration(what, arg string, into *time.Duration) {
	d, err := parseDuration(arg, r.units)
	switch {
	case arg == "":
		r.errorf("nothing follows '%s', wanted a time", what)
	case err == nil:
		*into = d
	case what == r.name:
		r.errorf("%s", err)
	default:
		r.errorf("%s %s", what, err)
	}
}
