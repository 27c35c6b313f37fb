package pool

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"sluice/conf"
)

// question checks that a server gives the expected answer to an HTTP request (configuration.txt
// 4.2, `option httpchk`).
type question struct {
	connector
	server  *Server
	check   *conf.HTTPCheck
	request []byte
	inter   time.Duration // inter of the server
	answer  time.Duration // timeout check; 0: unset
}

// newQuestion keeps the settings, because a reload may replace them before the check ends.
func newQuestion(s *Server, c *conf.Backend) question {
	return question{
		connector: newConnector(s, c),
		server:    s,
		check:     c.HTTPCheck,
		request:   appendRequest(nil, c.HTTPCheck),
		inter:     s.Conf().Inter,
		answer:    c.Timeout.Check,
	}
}

func (q question) probe(ctx context.Context) Result {
	start := time.Now()
	r := q.ask(ctx, start)
	r.Duration = time.Since(start)
	return r
}

func (q question) ask(ctx context.Context, start time.Time) Result {
	conn, err := q.dial(ctx)
	if conn != nil {
		defer conn.Close()
	}
	if err != nil {
		return q.judge(err)
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	code, reason, err := talk(conn, q.request, q.deadline(start, time.Now()))
	if err != nil {
		return unanswered(err)
	}
	return q.verdict(code, reason)
}

// deadline returns the time by which the head of the answer must be complete. timeout check starts
// when the connection is established. Without timeout check, inter limits the whole check.
func (q question) deadline(start, connected time.Time) time.Time {
	if q.answer > 0 {
		return connected.Add(q.answer)
	}
	return start.Add(q.inter)
}

// talk sends the request and reads the head of the answer, both before deadline.
func talk(conn net.Conn, request []byte, deadline time.Time) (code int, reason string, err error) {
	if err := conn.SetDeadline(deadline); err != nil {
		return 0, "", err
	}
	if _, err := conn.Write(request); err != nil {
		return 0, "", err
	}
	return readStatus(conn)
}

// unanswered returns the result for an error on an established connection, as HAProxy does.
func unanswered(err error) Result {
	var errno syscall.Errno
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Result{Status: L7TOUT}
	case errors.As(err, &errno):
		return Result{Local: slices.Contains(ours, errno), Status: SOCKERR, Info: capital(errno)}
	}
	return Result{Status: L7RSP}
}

// verdict returns the result for an answer. disable-on-404 applies only to a server that is up. For
// a server that is DOWN, 404 has no special meaning (configuration.txt 4.2, `http-check
// disable-on-404`).
func (q question) verdict(code int, reason string) Result {
	switch c := q.check; {
	case code == 404 && c.DisableOn404 && q.server.Running():
		return Result{OK: true, Status: L7OKC, Code: code}
	case expected(c, code):
		return Result{OK: true, Status: L7OK, Code: code}
	}
	return Result{Status: L7STS, Code: code, Info: reason[:min(len(reason), maxReason)]}
}

// expected reports whether `http-check expect` accepts this status; without it, 200 to 399.
func expected(c *conf.HTTPCheck, code int) bool {
	if c.Expect == nil {
		return code >= 200 && code < 400
	}
	listed := slices.ContainsFunc(c.Expect, func(s conf.StatusRange) bool { return s.Low <= code && code <= s.High })
	return listed != c.Not
}
