package admin

import (
	"bufio"
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
	maxLine        = 16 << 10
	maxClients     = 10 // HAProxy's `stats maxconn`
	defaultTimeout = 10 * time.Second
	acceptPause    = 100 * time.Millisecond
)

// Serve answers the clients of a stats socket until ctx ends. Then, or when the
// socket fails, which is the error, it closes the socket and what is connected
// to it, and returns when the last client is gone. timeout is `stats timeout`,
// 0 for HAProxy's 10 seconds: how long a client may take for a line, and for
// reading the answer. view is asked anew for each line, from the goroutines of
// the clients. Ten of them are served at a time, more have to wait.
func Serve(ctx context.Context, ln net.Listener, timeout time.Duration, view func() *View) error {
	if timeout == 0 {
		timeout = defaultTimeout
	}
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
			c := client{conn: conn, timeout: timeout, view: view, legends: seesLegends(ln)}
			c.serve(ctx)
			<-places
		})
	}
}

// accept waits out a want of descriptors. It returns nothing when ctx ends.
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

// client is one connection to the door. It belongs to one goroutine.
type client struct {
	conn    net.Conn
	timeout time.Duration
	view    func() *View
	legends bool // may see addresses and cookies
	prompt  bool // stays after an answer
	leaving bool
}

// serve answers one line, or as many as come in prompt mode.
func (c *client) serve(ctx context.Context) {
	defer c.conn.Close()
	defer context.AfterFunc(ctx, func() { c.conn.Close() })()
	in := bufio.NewReaderSize(c.conn, maxLine)
	for more := true; more; more = c.prompt && !c.leaving {
		_ = c.conn.SetDeadline(time.Now().Add(c.timeout))
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			c.refuse(fmt.Sprintf("line too long, wanted at most %d bytes\n\n", maxLine))
			return
		}
		if err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)) {
			return
		}
		_ = c.conn.SetDeadline(time.Now().Add(c.timeout))
		if _, err := io.WriteString(c.conn, c.answers(string(line))); err != nil {
			return
		}
	}
}

// refuse says why and leaves. Were the socket closed with bytes unread, the
// client would see a reset instead of the reason.
func (c *client) refuse(why string) {
	_, _ = io.WriteString(c.conn, why)
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, c.conn)
	}
}

// answers runs the commands of a line.
func (c *client) answers(line string) string {
	var w strings.Builder
	for cmd := range strings.SplitSeq(line, ";") {
		w.WriteString(c.answer(cmd))
		if c.leaving {
			break
		}
		w.WriteByte('\n')
		if c.prompt {
			w.WriteString("> ")
		}
	}
	return w.String()
}
