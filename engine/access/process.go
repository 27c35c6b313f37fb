package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// processQueue is the limit in lines for those that wait to be written to the process's own log.
const processQueue = 1024

// NewProcessLogger returns the logger for messages about the process itself, not about its
// connections. format is "console", for people, or "json".
//
// A message never waits for w: it goes into a queue, and a goroutine that runs as long as the
// process writes it. While the queue is full, messages are dropped, and their number is logged
// later. Sync of the logger waits until the messages so far are written, for a second at most.
func NewProcessLogger(format string, w io.Writer) (*zap.Logger, error) {
	c := zap.NewProductionEncoderConfig()
	c.EncodeTime = zapcore.ISO8601TimeEncoder
	c.EncodeDuration = zapcore.StringDurationEncoder
	var enc zapcore.Encoder
	switch format {
	case "console":
		enc = zapcore.NewConsoleEncoder(c)
	case "json":
		enc = zapcore.NewJSONEncoder(c)
	default:
		return nil, fmt.Errorf("log format %q: want console or json", format)
	}
	direct := zap.New(zapcore.NewCore(enc, zapcore.AddSync(w), zap.InfoLevel))
	q := &processLines{lines: make(chan processLine, processQueue)}
	go q.write(w, direct)
	return zap.New(zapcore.NewCore(enc, q, zap.InfoLevel)), nil
}

// processLines is the queue of the process's own log. Its methods may be called from any
// goroutine. None of them waits for the writer, except Sync.
type processLines struct {
	lines   chan processLine
	dropped atomic.Uint64 // lines that were dropped and not reported yet
}

// processLine is a line to write. If written is not nil, there is no line: the channel is closed
// when the lines before it are written.
type processLine struct {
	text    []byte
	written chan struct{}
}

// write is the goroutine that writes the lines to w. direct logs to w, too. Lines that w refuses
// are lost: there is no place left to report it.
func (q *processLines) write(w io.Writer, direct *zap.Logger) {
	for l := range q.lines {
		if n := q.dropped.Swap(0); n > 0 {
			direct.Warn("own log: lines dropped, standard error is too slow", zap.Uint64("lines", n))
		}
		if l.written != nil {
			close(l.written)
			continue
		}
		_, _ = w.Write(l.text)
	}
}

// Write copies a line into the queue, or drops it if the queue is full.
func (q *processLines) Write(line []byte) (int, error) {
	select {
	case q.lines <- processLine{text: bytes.Clone(line)}:
	default:
		q.dropped.Add(1)
	}
	return len(line), nil
}

var errUnwritten = errors.New("own log: standard error takes no lines")

// Sync waits until the lines so far are written, for flushTime at most.
func (q *processLines) Sync() error {
	late := time.After(flushTime)
	written := make(chan struct{})
	select {
	case q.lines <- processLine{written: written}:
	case <-late:
		return errUnwritten
	}
	select {
	case <-written:
		return nil
	case <-late:
		return errUnwritten
	}
}
