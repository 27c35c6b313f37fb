//go:build simulation

package engine

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// outcome is the result of a world.
type outcome struct {
	wrong []string // failures; empty: the world is right
	parts []string // names of the parts of the world that were used, see scene.keeps
	steps int

	reloads int // number of complete reloads
}

// runWorld runs a world to its end.
func runWorld(p *worldPlan, w watching) outcome {
	late := time.AfterFunc(tooLong, func() { panic(fmt.Sprintf("a world takes longer than %v: -plan %q", tooLong, p)) })
	defer late.Stop()
	if w.most == 0 {
		w.most = mostSteps
	}
	x, err := newSimulation(p, w)
	if err != nil {
		return outcome{wrong: []string{err.Error()}}
	}
	defer x.close()
	x.play()
	for _, text := range x.wrong {
		x.tell(failed, "wrong: %s", firstLine(text))
	}
	return outcome{wrong: x.wrong, parts: x.on, steps: x.steps, reloads: x.done}
}

// tooLong is the real time after which a world counts as hanging, for loops that make no system
// call.
const tooLong = 5 * time.Minute

// play runs the world and checks it at the end. A panic is a failure.
func (x *simulation) play() {
	defer func() {
		if v := recover(); v != nil {
			x.crashed = true
			x.failf("panic: %v\n%s", v, callers())
		}
	}()
	if x.run(); len(x.wrong) == 0 {
		x.checkEnd()
	}
}

// callers returns the functions of the project on the stack of a panic.
func callers() string {
	var text strings.Builder
	counters := make([]uintptr, 64)
	frames := runtime.CallersFrames(counters[:runtime.Callers(3, counters)])
	for {
		f, more := frames.Next()
		if name, ours := strings.CutPrefix(f.Function, "sluice/"); ours {
			fmt.Fprintf(&text, "  %s, line %d\n", name, f.Line)
		}
		if !more {
			return text.String()
		}
	}
}

// kindOf returns the kind of a failure: the first line of its message without the numbers, names
// and bytes of one world.
func kindOf(message string) string {
	line, _, _ := strings.Cut(firstLine(message), "; want ")
	for _, r := range particulars {
		line = r.what.ReplaceAllString(line, r.by)
	}
	return line
}

var particulars = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`wrong are: \["([^"]*)".*`), "wrong are: $1"}, // a message of the inspector
	{regexp.MustCompile(`"(\\.|[^"\\])*"`), `"…"`},
	{regexp.MustCompile(`"…"( "…")+`), `"…"`},
	{regexp.MustCompile(`\b[0-9a-f]{2}( [0-9a-f]{2})+\b`), "#"},
	{regexp.MustCompile(`\d+`), "#"},
	{regexp.MustCompile(`#([ .:]#)+`), "#"},
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// fails reports whether one of the failures has a kind.
func (o *outcome) fails(kind string) bool {
	return slices.ContainsFunc(o.wrong, func(text string) bool { return kindOf(text) == kind })
}

// named returns the numbers of conversations in the failures.
func (o *outcome) named() (numbers []int) {
	for _, m := range naming.FindAllStringSubmatch(strings.Join(o.wrong, "\n"), -1) {
		numbers = append(numbers, int(number(m[1])))
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

var naming = regexp.MustCompile(`\b(?:conversation|client) (\d+)\b`)
