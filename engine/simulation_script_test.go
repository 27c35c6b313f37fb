//go:build simulation

package engine

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// script is a readable list of the events of a world, in order of time.
type script struct {
	lines []scriptLine
	shows func(k eventKind) bool
}

// scriptLine is one event, or several similar ones in a row.
type scriptLine struct {
	at    time.Duration
	text  string
	alike string // text without the number of bytes; events are similar if it is equal
	times int
	until time.Duration // time of the last one
	bytes int
}

// newScript returns an empty script. With calls it contains the system calls of the balancer, with
// all every event.
func newScript(calls, all bool) *script {
	return &script{shows: func(k eventKind) bool {
		switch k {
		case called:
			return calls || all
		case others, departed:
			return all
		}
		return true
	}}
}

// moves matches the text of an event that moves bytes.
var moves = regexp.MustCompile(`^(.* (?:reads|sends|gets) )(\d+)( bytes(?: of [^:,]*)?)`)

// note adds an event. An event similar to the one before is merged with it.
func (s *script) note(e event) {
	if !s.shows(e.kind) {
		return
	}
	if e.kind == logged {
		e.text = "the balancer logs: " + e.text
	}
	l := scriptLine{at: e.at, text: e.text, alike: e.text, times: 1}
	if m := moves.FindStringSubmatch(e.text); m != nil {
		l.alike, l.bytes = m[1]+m[3], int(number(m[2]))
	}
	if n := len(s.lines); n > 0 && s.lines[n-1].alike == l.alike {
		before := &s.lines[n-1]
		before.times++
		before.bytes += l.bytes
		before.until = l.at
		return
	}
	s.lines = append(s.lines, l)
}

// String returns a line for each event. The time is written where it changes. If there are more
// than mostShown lines, lines after the first quarter are left out.
func (s *script) String() string {
	var b strings.Builder
	before := time.Duration(-1)
	for i, l := range s.lines {
		if hidden := len(s.lines) - mostShown; hidden > 0 && i >= mostShown/4 && i < mostShown/4+hidden {
			if i == mostShown/4 {
				fmt.Fprintf(&b, "            ... %d lines ...\n", hidden)
			}
			continue
		}
		at := ""
		if l.at != before {
			at, before = atTime(l.at), l.at
		}
		fmt.Fprintf(&b, "%11s %s\n", at, strings.ReplaceAll(l.String(), "\n", "\n            "))
	}
	return b.String()
}

// mostShown is the maximum number of lines of a script.
const mostShown = 120

// atTime formats a time since the start.
func atTime(d time.Duration) string {
	return "+" + strconv.FormatFloat(d.Seconds()*1e3, 'f', 3, 64) + "ms"
}

// String returns the text of the events, with their number if there are several.
func (l *scriptLine) String() string {
	text := l.text
	switch m := moves.FindStringSubmatch(l.text); {
	case l.times == 1:
		return text
	case m != nil:
		text = fmt.Sprintf("%s%d%s in %d parts", m[1], l.bytes, m[3], l.times)
	default:
		text = fmt.Sprintf("%s, %d times", text, l.times)
	}
	if l.until > l.at {
		text += ", until " + atTime(l.until)
	}
	return text
}

// detailsOf returns the message of a failure without its first line: a stack, or the waiting
// actors. Without the flag -show it is shortened.
func detailsOf(wrong string) string {
	lines := strings.Split(wrong, "\n")[1:]
	if len(lines) == 0 {
		return ""
	}
	if *showFlag == "" {
		lines = lines[:min(len(lines), 20)]
		for i, line := range lines {
			lines[i] = line[:min(len(line), 200)]
		}
	}
	return "details:\n" + strings.Join(lines, "\n") + "\n"
}

// describe returns a description of a world for failures: configuration, unusual sizes and faults,
// and conversations.
func (p *worldPlan) describe() string {
	s := setScene(p)
	var talks []*simTalk
	for _, number := range p.talks {
		talks = append(talks, s.talk(number))
	}
	var b strings.Builder
	section := func(title, text string) {
		if text = strings.TrimSpace(text); text != "" {
			fmt.Fprintf(&b, "%s:\n  %s\n", title, strings.ReplaceAll(text, "\n", "\n  "))
		}
	}
	section("configuration", s.configOf(talks))
	section("unusual", strings.Join(s.unusual(), "\n"))
	for _, t := range talks[:min(len(talks), mostTold)] {
		section("plan", t.String())
	}
	return b.String()
}

// configOf returns the configuration without the frontends and backends that no conversation uses,
// and without usual log lines.
func (s *scene) configOf(talks []*simTalk) string {
	used := scene{plan: s.plan, loops: s.loops, most: s.most, global: s.global}
	for _, f := range s.fronts {
		if !slices.ContainsFunc(talks, func(t *simTalk) bool { return t.front == f }) {
			continue
		}
		shown := *f
		shown.lines = slices.DeleteFunc(slices.Clone(f.lines), func(line string) bool {
			return f.log == logOfOurs && strings.HasPrefix(line, "log")
		})
		used.fronts = append(used.fronts, &shown)
		for _, r := range f.routes {
			if r.back != nil && !slices.Contains(used.backs, r.back) {
				used.backs = append(used.backs, r.back)
			}
		}
	}
	return used.config()
}

// unusual returns the sizes, the properties of the kernel and the faults that differ from the usual
// ones.
func (s *scene) unusual() (all []string) {
	z, usual := s.sizes, usualSizes()
	all = append(differences(z.loop, usual.loop), differences(z.memory, usual.memory)...)
	add := func(is bool, format string, args ...any) {
		if is {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	add(z.pipes != usual.pipes, "Pipes: %d", z.pipes)
	add(z.open > 0, "descriptors: %d more than at the start", z.open)
	add(slices.Contains(s.on, "small sockets") || slices.Contains(s.on, "mixed sockets"), "small buffers of sockets")
	add(!s.machine.Delayed, "the network has no delay")
	add(s.machine.FastOpen == 0, "no TCP Fast Open")
	add(s.machine.Spurious > 0, "spurious events: %d of 1000", s.machine.Spurious)
	add(s.machine.ShortSplice > 0, "short splices: %d of 1000", s.machine.ShortSplice)
	add(s.pace.lag > 0, "the clock goes on within one of %d steps", s.pace.lag)
	for _, r := range s.reloads {
		add(true, "reload %d at %v after the start of client %d (0: of the world), with %v between its steps, of:\n%s",
			r.number, r.at, r.client, r.wait, s.edited(r))
	}
	for _, f := range s.faults {
		add(true, "one of %.0f calls fails: %s %s", 1/f.odds, f.call, unix.ErrnoName(f.err))
	}
	return all
}

// differences returns the fields of two structs that differ, as "Name: value" of the first.
func differences[T any](is, usual T) (all []string) {
	a, b := reflect.ValueOf(is), reflect.ValueOf(usual)
	for _, f := range reflect.VisibleFields(a.Type()) {
		if v := a.FieldByIndex(f.Index); !f.Anonymous && !v.Equal(b.FieldByIndex(f.Index)) {
			all = append(all, fmt.Sprintf("%s: %v", f.Name, v))
		}
	}
	return all
}
