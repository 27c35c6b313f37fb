package pool

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"sluice/conf"
)

// CheckStatus is the outcome of a check, in HAProxy's codes.
type CheckStatus uint8

// The outcomes: of a connection, then of a question over HTTP.
const (
	L4OK CheckStatus = iota
	L4TOUT
	L4CON
	SOCKERR
	L7OK
	L7OKC // passed, on condition that no new clients come
	L7TOUT
	L7RSP
	L7STS
)

var statuses = [...]struct{ code, text string }{
	L4OK:    {"L4OK", "Layer4 check passed"},
	L4TOUT:  {"L4TOUT", "Layer4 timeout"},
	L4CON:   {"L4CON", "Layer4 connection problem"},
	SOCKERR: {"SOCKERR", "Socket error"},
	L7OK:    {"L7OK", "Layer7 check passed"},
	L7OKC:   {"L7OKC", "Layer7 check conditionally passed"},
	L7TOUT:  {"L7TOUT", "Layer7 timeout"},
	L7RSP:   {"L7RSP", "Layer7 invalid response"},
	L7STS:   {"L7STS", "Layer7 wrong status"},
}

// String returns the code that show stat has as check_status.
func (s CheckStatus) String() string { return statuses[s].code }

// Text returns the words that logs have as the reason and show stat as
// check_desc.
func (s CheckStatus) Text() string { return statuses[s].text }

// Result is what one check found.
type Result struct {
	OK       bool
	Local    bool // we lacked a port, a descriptor or memory: not the server's fault
	Status   CheckStatus
	Code     int    // status that the server answered; 0: none
	Info     string // what the system or the server said, odd bytes as <XX>; may be empty
	Duration time.Duration
}

// prober is one kind of check. probe returns soon after ctx ends; what it then
// found does not count.
type prober interface {
	probe(ctx context.Context) Result
}

// newProber makes the kind of check that the backend asks for.
func newProber(s *Server) prober {
	if s.backend.Conf.HTTPCheck != nil {
		return newQuestion(s)
	}
	return newConnector(s)
}

// connector checks that a server takes connections, and closes them at once.
type connector struct {
	network, address string
	timeout          time.Duration
}

func newConnector(s *Server) connector {
	c := connector{network: "unix", address: s.Path, timeout: connectTimeout(s)}
	switch s.Net {
	case conf.NetTCP:
		c.network, c.address = "tcp", s.Addr.String()
	case conf.NetAbstract:
		c.address = abstract(s.Path)
	}
	return c
}

// connectTimeout is inter, and no more than timeout connect where timeout
// check is there for the rest (configuration.txt 4.2, `timeout check`).
func connectTimeout(s *Server) time.Duration {
	t := s.backend.Conf.Timeout
	if t.Check > 0 && t.Connect > 0 {
		return min(t.Connect, s.Conf.Inter)
	}
	return s.Conf.Inter
}

// abstract pads the name to the whole of sun_path, as HAProxy does: to the
// kernel a shorter one is another name.
func abstract(name string) string {
	const sunPath = 108
	return "@" + name + strings.Repeat("\x00", max(sunPath-1-len(name), 0))
}

func (c connector) probe(ctx context.Context) Result {
	start := time.Now()
	conn, err := c.dial(ctx)
	if conn != nil {
		err = errors.Join(err, conn.Close())
	}
	r := c.judge(err)
	r.Duration = time.Since(start)
	return r
}

// dial connects. Closing will send RST, so that checks leave no TIME_WAIT on
// either side and end what a server still has to say.
func (c connector) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, c.network, c.address)
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = tcp.SetLinger(0)
	}
	return conn, err
}

// ours are the errors that speak of this machine, not of the server.
var ours = []syscall.Errno{
	syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.EMFILE, syscall.ENFILE,
	syscall.ENOBUFS, syscall.ENOMEM,
}

// judge names an error of connect as HAProxy does.
func (c connector) judge(err error) Result {
	var errno syscall.Errno
	switch {
	case err == nil:
		return Result{OK: true, Status: L4OK}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return Result{Status: L4TOUT}
	case !errors.As(err, &errno):
		return Result{Local: true, Status: SOCKERR, Info: err.Error()}
	case slices.Contains(ours, errno), errno == syscall.EAGAIN && c.network == "tcp":
		return Result{Local: true, Status: SOCKERR, Info: general(errno)}
	case c.network == "unix":
		return Result{Status: SOCKERR, Info: general(errno)}
	case errno == syscall.ENETUNREACH:
		return Result{Status: L4CON, Info: general(errno)}
	}
	return Result{Status: L4CON, Info: capital(errno)}
}

func general(e syscall.Errno) string { return fmt.Sprintf("General socket error (%s)", capital(e)) }

// capital writes an error as libc does; Go has the same words in lower case.
func capital(e syscall.Errno) string {
	text := e.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
