package conf

import (
	"errors"
	"fmt"
	"strings"
)

// Severity says whether a Problem stops the start.
type Severity uint8

// The severities.
const (
	Warning Severity = iota
	Error
)

func (s Severity) String() string { return [...]string{"warning", "error"}[s] }

// Problem is one thing found wrong in a configuration. Text names the thing,
// the value found and what was wanted; it has no position and no full stop.
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

// Problems collects what all rooms find, so that everything is told at once.
type Problems []Problem

// Errorf adds an error.
func (ps *Problems) Errorf(at Pos, format string, args ...any) {
	*ps = append(*ps, Problem{Pos: at, Severity: Error, Text: clip(fmt.Sprintf(format, args...))})
}

// Warnf adds a warning.
func (ps *Problems) Warnf(at Pos, format string, args ...any) {
	*ps = append(*ps, Problem{Pos: at, Severity: Warning, Text: clip(fmt.Sprintf(format, args...))})
}

// longestText holds any message but those that quote a line of megabytes.
const longestText = 2000

// clip takes the middle out of a text that is too long to read.
func clip(text string) string {
	if len(text) <= longestText {
		return text
	}
	return strings.ToValidUTF8(text[:longestText/2], "") + " ... " + strings.ToValidUTF8(text[len(text)-longestText/2:], "")
}

// Err returns the errors among the problems as one error, a line each, or nil.
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
