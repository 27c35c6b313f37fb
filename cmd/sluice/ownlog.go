package main

import (
	"os"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"sluice/conf"
	"sluice/engine/access"
)

// ownLogger returns the logger that writes to standard error.
func (l *launch) ownLogger() (*zap.Logger, error) {
	plain, err := access.NewProcessLogger(l.logFormat, os.Stderr)
	if err == nil && l.quiet {
		plain = plain.WithOptions(zap.IncreaseLevel(zap.WarnLevel))
	}
	return plain, err
}

// flush waits until the messages so far are written, for a second at most. A
// standard error that takes nothing must not keep the process from ending.
func flush(log *zap.Logger) { _ = log.Sync() }

// ownLog returns the logger of the process's own messages. A daemon has no
// terminal, so its messages also go to the global log targets.
func ownLog(plain *zap.Logger, log *access.Log, targets []conf.LogTarget, daemon bool) (*zap.Logger, error) {
	if !daemon {
		return plain, nil
	}
	to, err := log.Route(targets)
	if err != nil {
		return nil, err
	}
	text := zapcore.NewConsoleEncoder(zapcore.EncoderConfig{MessageKey: "message", ConsoleSeparator: " "})
	copies := &targetCore{LevelEnabler: zap.InfoLevel, text: text, log: log, to: to}
	return plain.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return zapcore.NewTee(c, copies) })), nil
}

// targetCore writes log entries to log targets. It skips entries of a named
// logger, such as health: those were already sent to the targets of the backend
// concerned. Safe for concurrent use.
type targetCore struct {
	zapcore.LevelEnabler
	text zapcore.Encoder
	log  *access.Log
	to   access.Route
}

// With returns a core that adds fields to every entry.
func (c *targetCore) With(fields []zapcore.Field) zapcore.Core {
	with := *c
	with.text = c.text.Clone()
	for _, f := range fields {
		f.AddTo(with.text)
	}
	return &with
}

// Check adds this core to those that write the entry.
func (c *targetCore) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) && e.LoggerName == "" {
		return to.AddCore(e, c)
	}
	return to
}

// Write sends the entry as one line.
func (c *targetCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	line, err := c.text.EncodeEntry(e, fields)
	if err != nil {
		return err
	}
	defer line.Free()
	c.log.Say(c.to, severity(e.Level), strings.TrimSuffix(line.String(), "\n"))
	return nil
}

// Sync does nothing, because Close of the log sends the queued lines.
func (c *targetCore) Sync() error { return nil }

// severity returns the syslog level for a level of zap.
func severity(l zapcore.Level) access.Level {
	switch l {
	case zap.DebugLevel, zap.InfoLevel:
		return access.Info
	case zap.WarnLevel:
		return access.Warning
	case zap.ErrorLevel:
		return access.Err
	}
	return access.Crit
}
