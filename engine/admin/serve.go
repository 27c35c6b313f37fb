package admin

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	maxCommand     = 16 << 10
	maxClients     = 10 // HAProxy's default of `stats maxconn`
	defaultTimeout = 10 * time.Second
	acceptPause    = 100 * time.Millisecond
)

// Options contains the functions with which commands ask the process. They are called for each
// command, on the goroutine of its client. Those with a context return when it ends, because nobody
// waits for the answer any more.
type Options struct {
	View func() *View
	// Timeout returns `stats timeout`: the time limit for receiving a command, and again for writing
	// the answer. 0 means HAProxy's 10 seconds.
	Timeout     func() time.Duration
	Generations func(context.Context) ([]Generation, error)
	Reload      func(ctx context.Context, dryRun bool) Result // nil: the process cannot reload
}

// Serve answers the clients of a stats socket until ctx ends or the socket fails. Then it closes
// the socket and all its connections, and returns when all clients are gone. It returns an error
// only if the socket failed. At most ten clients are served at the same time; further clients wait.
func Serve(ctx context.Context, ln net.Listener, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	defer ln.Close()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	places := make(chan struct{}, maxClients)
	for {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := accept(ctx, ln)
		if conn == nil {
			return err
		}
		clients.Go(func() {
			c := client{Options: o, conn: conn, ctx: ctx, level: levelOf(ln)}
			c.serve()
			<-places
		})
	}
}

// accept waits while the process has too few descriptors. It returns nil, nil when ctx ends.
func accept(ctx context.Context, ln net.Listener) (net.Conn, error) {
	for {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil:
			return nil, nil
		case !passing(err):
			return nil, fmt.Errorf("stats socket %s: %w", ln.Addr(), err)
		}
		select {
		case <-time.After(acceptPause):
		case <-ctx.Done():
		}
	}
}

func passing(err error) bool {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// client is one connection to the stats socket. It belongs to one goroutine.
type client struct {
	Options
	conn    net.Conn
	ctx     context.Context // ends when the socket is no longer served
	level   string          // user, operator or admin
	prompt  bool            // interactive mode: the connection stays open after an answer
	leaving bool
}

// seesLegends reports whether the client may see addresses and cookies.
func (c *client) seesLegends() bool { return c.level != "user" }

// serve answers commands one after the other. In prompt mode it continues until the client leaves.
// Otherwise it ends when all received commands are answered.
func (c *client) serve() {
	defer c.conn.Close()
	defer context.AfterFunc(c.ctx, func() { c.conn.Close() })()
	in := bufio.NewReaderSize(c.conn, maxCommand)
	for more := true; more && !c.leaving; more = c.prompt || in.Buffered() > 0 {
		c.limit()
		cmd, err := next(in)
		if err == nil && strings.HasSuffix(cmd, payloadMark) {
			cmd, err = c.skipPayload(in, cmd)
		}
		if errors.Is(err, errTooLong) {
			c.refuse(err.Error() + "\n\n")
			return
		}
		if err != nil { // a command without its end is not run, as in HAProxy
			return
		}
		answer := c.reply(cmd)
		c.limit() // now, because a reload may have taken longer
		if _, err := io.WriteString(c.conn, answer); err != nil {
			return
		}
	}
}

// limit starts the time limit of the next read or write.
func (c *client) limit() {
	_ = c.conn.SetDeadline(time.Now().Add(cmp.Or(c.Timeout(), defaultTimeout)))
}

var errTooLong = fmt.Errorf("command too long, wanted at most %d bytes", maxCommand)

// next reads a command: the bytes before a newline, or before a ';' without a backslash before it.
func next(in *bufio.Reader) (string, error) {
	var cmd []byte
	for escaped := false; ; escaped = !escaped && cmd[len(cmd)-1] == '\\' {
		b, err := in.ReadByte()
		switch {
		case err != nil:
			return "", err
		case b == '\n' || b == ';' && !escaped:
			return string(bytes.TrimSuffix(cmd, []byte("\r"))), nil
		case len(cmd) == maxCommand:
			return "", errTooLong
		}
		cmd = append(cmd, b)
	}
}

// payloadMark at the end of a line begins the payload of a command (management.txt 9.3).
const payloadMark = "<<"

// skipPayload reads the payload of a command: all lines up to an empty one. No supported command has
// a payload, so skipPayload returns the command without it, as HAProxy runs such commands. A ';' in
// the payload ends nothing. In prompt mode the client gets "+ " before each line.
func (c *client) skipPayload(in *bufio.Reader, cmd string) (string, error) {
	for size := len(cmd); ; {
		if c.prompt {
			if _, err := io.WriteString(c.conn, "+ "); err != nil {
				return "", err
			}
		}
		line, err := in.ReadSlice('\n')
		size += len(line)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) || size > maxCommand:
			return "", errTooLong
		case err != nil:
			return "", err
		case len(bytes.TrimRight(line, "\r\n")) == 0:
			at := strings.Index(cmd, payloadMark)
			if at > 0 && cmd[at-1] != ' ' && cmd[at-1] != '\t' {
				at += len(payloadMark) // as in HAProxy, the mark belongs to the word before it
			}
			return cmd[:at], nil
		}
	}
}

// refuse writes why and ends the connection. It first reads all remaining bytes: closing a socket
// with unread bytes sends a reset, and the client would lose the text.
func (c *client) refuse(why string) {
	_, _ = io.WriteString(c.conn, why)
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, c.conn)
	}
}

// reply runs a command and returns all bytes to write: the answer, the empty line that ends it, and
// the prompt.
func (c *client) reply(cmd string) string {
	text := c.answer(cmd)
	switch {
	case c.leaving:
		return text
	case c.prompt:
		return text + "\n> "
	}
	return text + "\n"
}
