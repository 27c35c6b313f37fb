package main

import (
	"os"
	"strings"
	"sync"

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

// ownTargets are the log targets of the process's own messages.
type ownTargets struct {
	log *access.Log

	mu sync.RWMutex // locked for writing while to changes
	to access.Route
}

func (o *ownTargets) say(lv access.Level, text string) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	o.log.Say(o.to, lv, text)
}

// follow replaces the targets. After an error the old ones stay. o may be nil.
func (o *ownTargets) follow(targets []conf.LogTarget) error {
	if o == nil {
		return nil
	}
	to, err := o.log.Route(targets)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.log.Release(o.to)
	o.to = to
	return nil
}

// renew is follow, and opens those of the targets anew that are open already. o may be nil.
func (o *ownTargets) renew(targets []conf.LogTarget) error {
	if o == nil {
		return nil
	}
	again, err := o.log.Reopen(targets)
	if err != nil {
		return err
	}
	if err := o.follow(targets); err != nil {
		again.Abandon()
		return err
	}
	again.Commit()
	return nil
}

// ownLog returns the logger of the process's own messages. A daemon has no
// terminal, so its messages also go to the global log targets. The ownTargets
// are nil in the foreground.
func ownLog(plain *zap.Logger, log *access.Log, targets []conf.LogTarget, daemon bool) (*zap.Logger, *ownTargets, error) {
	if !daemon {
		return plain, nil, nil
	}
	to := &ownTargets{log: log}
	if err := to.follow(targets); err != nil {
		return nil, nil, err
	}
	text := zapcore.NewConsoleEncoder(zapcore.EncoderConfig{MessageKey: "message", ConsoleSeparator: " "})
	copies := &targetCore{LevelEnabler: zap.InfoLevel, text: text, to: to}
	return plain.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return zapcore.NewTee(c, copies) })), to, nil
}

// targetCore writes log entries to log targets. It skips entries of a named
// logger, such as health: those were already sent to the targets of the backend
// concerned. Safe for concurrent use.
type targetCore struct {
	zapcore.LevelEnabler
	text zapcore.Encoder
	to   *ownTargets
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
	c.to.say(severity(e.Level), strings.TrimSuffix(line.String(), "\n"))
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
