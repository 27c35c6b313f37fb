package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"sluice/conf"
	"sluice/conf/diff"
	"sluice/engine"
	"sluice/engine/admin"
)

// mostChanges is the maximum number of changes that a reload reports one by one. A new list of rules
// can have thousands.
const mostChanges = 50

// report is what a reload has to say, to the log and to the client of a stats socket. Its methods
// return a report with further messages.
type report struct {
	ok       bool // the new configuration is in use
	messages []message
}

// message is one line of a report.
type message struct {
	level zapcore.Level
	text  string
}

// add adds a message. Control characters, which a value of the configuration may contain, are
// replaced, so that a message is one line.
func (p report) add(level zapcore.Level, text string) report {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, text)
	p.messages = append(p.messages, message{level, text})
	return p
}

// found adds the problems of a configuration.
func (p report) found(problems conf.Problems) report {
	for _, one := range problems {
		level := zap.WarnLevel
		if one.Severity == conf.Error {
			level = zap.ErrorLevel
		}
		p = p.add(level, one.String())
	}
	return p
}

// refused adds an error, one message for each of its lines, and that nothing has changed.
func (p report) refused(err error) report {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		p = p.add(zap.ErrorLevel, line)
	}
	return p.add(zap.ErrorLevel, "not reloaded: the old configuration stays in use")
}

// reloaded adds what has changed, and ends the report of a reload that took this time.
func (p report) reloaded(r *engine.Reloaded, took time.Duration) report {
	shown := min(len(r.Changes), mostChanges)
	p = p.changed(r.Changes[:shown])
	if more := len(r.Changes) - shown; more > 0 {
		p = p.add(zap.InfoLevel, "and "+plural(more, "more change"))
	}
	p = p.warned(r)
	p.ok = true
	return p.add(zap.InfoLevel, fmt.Sprintf("reloaded: generation %d, %s, in %d ms", r.Serial, plural(len(r.Changes), "change"), took.Milliseconds()))
}

// compared adds all that a reload would change, and ends the report of a dry run.
func (p report) compared(r *engine.Reloaded) report {
	p = p.changed(r.Changes).warned(r)
	p.ok = true
	return p.add(zap.InfoLevel, fmt.Sprintf("dry run: a reload would make %s; nothing is changed", plural(len(r.Changes), "change")))
}

func (p report) changed(changes []diff.Change) report {
	for _, c := range changes {
		p = p.add(zap.InfoLevel, c.String())
	}
	return p
}

func (p report) warned(r *engine.Reloaded) report {
	for _, c := range r.Commands {
		p = p.add(zap.WarnLevel, c.String())
	}
	for _, w := range r.Warnings {
		p = p.add(zap.WarnLevel, w)
	}
	if r.MaxConn != "" {
		p = p.add(zap.InfoLevel, r.MaxConn)
	}
	return p
}

// result returns the report as the answer of a command.
func (p report) result() admin.Result {
	r := admin.Result{OK: p.ok}
	for _, m := range p.messages {
		r.Messages = append(r.Messages, m.text)
	}
	return r
}
