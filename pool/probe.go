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

// CheckStatus is the outcome of a check. The names are HAProxy's codes (management.txt 9.1,
// check_status).
type CheckStatus uint8

// The outcomes. The names with L4 are results of connecting, those with L7 results of an HTTP
// request. An HTTP check that cannot connect has the outcome L4TOUT or L4CON, like a check that only
// connects. SOCKERR is a result of connecting or of an HTTP request.
const (
	L4OK    CheckStatus = iota // connected
	L4TOUT                     // not connected in time
	L4CON                      // the connection was refused, or no route exists
	SOCKERR                    // another error of a system call
	L7OK                       // an answer with an expected status
	L7OKC                      // 404 with disable-on-404: passed, but the server gets no new clients
	L7TOUT                     // no complete head in time
	L7RSP                      // the answer is not HTTP, or ended too early
	L7STS                      // an answer with another status
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

// String returns HAProxy's code, as in the column check_status of show stat.
func (s CheckStatus) String() string { return statuses[s].code }

// Text returns HAProxy's text for the outcome. It is the reason in log lines, and the value of the
// column check_desc of show stat.
func (s CheckStatus) Text() string { return statuses[s].text }

// Result is the result of one check.
type Result struct {
	OK       bool // the check passed
	Local    bool // this process lacked a port, a descriptor or memory; the server may be fine
	Status   CheckStatus
	Code     int           // HTTP status code of the server's answer; 0: no answer
	Info     string        // text of a system error, or the server's reason phrase: any bytes, at most maxReason; may be empty
	Duration time.Duration // duration of the check
}

// prober makes one check. probe returns soon after ctx ends; its result is then ignored.
type prober interface {
	probe(ctx context.Context) Result
}

// newProber returns a check of the server's present address: an HTTP request if the backend has
// `option httpchk`, or else a connection attempt.
func newProber(s *Server) prober {
	c := s.backend.Conf()
	if c.HTTPCheck != nil {
		return newQuestion(s, c)
	}
	return newConnector(s, c)
}

// connector checks that a server accepts connections. It closes each connection at once.
type connector struct {
	network, address string
	timeout          time.Duration // maximum time for connecting
}

func newConnector(s *Server, c *conf.Backend) connector {
	t := s.Target()
	to := connector{network: "unix", address: t.Path, timeout: connectTimeout(c.Timeout, s.Conf().Inter)}
	switch t.Net {
	case conf.NetTCP:
		to.network, to.address = "tcp", t.Addr.String()
	case conf.NetAbstract:
		to.address = abstract(t.Path)
	}
	return to
}

// connectTimeout returns inter. If both timeout check and timeout connect are set, the result is at
// most timeout connect, because timeout check limits the time after that (configuration.txt 4.2,
// `timeout check`).
func connectTimeout(t conf.BackTimeout, inter time.Duration) time.Duration {
	if t.Check > 0 && t.Connect > 0 {
		return min(t.Connect, inter)
	}
	return inter
}

// abstract pads the name to the full length of sun_path, as HAProxy does. For the kernel, names of
// different lengths are different.
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

// dial connects to the server. It sets the socket so that its close sends RST. Then neither side
// keeps a TIME_WAIT state, and a server that still sends is stopped.
func (c connector) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, c.network, c.address)
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = tcp.SetLinger(0)
	}
	return conn, err
}

// ours are the errors for which this machine is the cause, not the server.
var ours = []syscall.Errno{
	syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.EMFILE, syscall.ENFILE,
	syscall.ENOBUFS, syscall.ENOMEM,
}

// judge returns the result for an error of connecting, with HAProxy's outcome and text; nil:
// connected.
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

// capital returns the text of an error as libc writes it. Go has the same texts in lower case.
func capital(e syscall.Errno) string {
	text := e.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
