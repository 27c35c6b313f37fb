package main

import (
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"sluice/conf"
	"sluice/engine"
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

func (p report) add(level zapcore.Level, text string) report {
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

// because adds a reason before the last message.
func (p report) because(format string, args ...any) report {
	last := p.messages[len(p.messages)-1]
	p.messages = p.messages[:len(p.messages)-1]
	return p.add(zap.ErrorLevel, fmt.Sprintf(format, args...)).add(last.level, last.text)
}

// reloaded adds what has changed, and ends the report of a reload that took this time.
func (p report) reloaded(r *engine.Reloaded, took time.Duration) report {
	p.ok = true
	for i, c := range r.Changes {
		if i == mostChanges {
			p = p.add(zap.InfoLevel, "and "+plural(len(r.Changes)-i, "more change"))
			break
		}
		p = p.add(zap.InfoLevel, c.String())
	}
	for _, c := range r.Commands {
		p = p.add(zap.WarnLevel, c.String())
	}
	for _, w := range r.Warnings {
		p = p.add(zap.WarnLevel, w)
	}
	return p.add(zap.InfoLevel, fmt.Sprintf("reloaded: generation %d, %s, in %d ms", r.Serial, plural(len(r.Changes), "change"), took.Milliseconds()))
}
