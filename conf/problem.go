package conf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Severity says whether a Problem prevents the start.
type Severity uint8

// The severities.
const (
	Warning Severity = iota
	Error
)

func (s Severity) String() string { return [...]string{"warning", "error"}[s] }

// Problem is one problem in a configuration. Text names the directive, the value found and the
// allowed values. It contains no position and no full stop.
type Problem struct {
	Pos      Pos
	Severity Severity
	Text     string
}

func (p Problem) String() string {
	at := p.Pos.String()
	if at == "" {
		return fmt.Sprintf("%s: %s", p.Severity, p.Text)
	}
	return fmt.Sprintf("%s: %s: %s", at, p.Severity, p.Text)
}

// Problems collects the problems that all packages find, so that they can be reported together.
type Problems []Problem

// Errorf adds an error.
func (ps *Problems) Errorf(at Pos, format string, args ...any) {
	*ps = append(*ps, Problem{Pos: at, Severity: Error, Text: clip(fmt.Sprintf(format, args...))})
}

// Warnf adds a warning.
func (ps *Problems) Warnf(at Pos, format string, args ...any) {
	*ps = append(*ps, Problem{Pos: at, Severity: Warning, Text: clip(fmt.Sprintf(format, args...))})
}

// longestText is the longest text in bytes that is kept whole. Only a message that quotes a huge
// line is longer.
const longestText = 2000

// clip replaces the middle of a text that is too long by "...".
func clip(text string) string {
	if len(text) <= longestText {
		return text
	}
	return strings.ToValidUTF8(text[:longestText/2], "") + " ... " + strings.ToValidUTF8(text[len(text)-longestText/2:], "")
}

// Err returns the errors among the problems as one error with one line for each, or nil if there
// are none.
func (ps Problems) Err() error {
	var lines []string
	for _, p := range ps.errors() {
		lines = append(lines, p.String())
	}
	if lines == nil {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

// errors returns the errors among the problems.
func (ps Problems) errors() Problems {
	var errs Problems
	for _, p := range ps {
		if p.Severity == Error {
			errs = append(errs, p)
		}
	}
	return errs
}

// Distinct returns the problems without repetitions, in their order.
func (ps Problems) Distinct() Problems {
	var distinct Problems
	for _, p := range ps {
		if !slices.Contains(distinct, p) {
			distinct = append(distinct, p)
		}
	}
	return distinct
}
