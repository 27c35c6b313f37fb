package load

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// web answers requests with a body, n on each connection. The last answer has the field last.
func web(body, last string, n int) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		for i := range n {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			field := ""
			if i == n-1 {
				field = last
			}
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", field, len(body), body)
		}
	}
}

// TestKept: connections that the server closes between requests are opened again and are no
// failures. A connection that ends instead of an answer, and a wrong body, are failures.
func TestKept(t *testing.T) {
	silent := func(c net.Conn) { _, _ = http.ReadRequest(bufio.NewReader(c)) }
	for name, test := range map[string]struct {
		hand               func(net.Conn)
		done, reopened     bool
		lost, wrong, reset bool
	}{
		"kept":      {hand: web("x", "", 1000), done: true},
		"announced": {hand: web("x", "Connection: close\r\n", 2), done: true, reopened: true},
		"closed":    {hand: web("x", "", 2), done: true, reopened: true},
		"lost":      {hand: silent, reopened: true, lost: true},
		"wrong":     {hand: web("y", "", 1000), reopened: true, wrong: true},
	} {
		const clients, later = 2, 3 // connections after the first ones
		fresh := make(chan bool, 1000)
		hand := func(c net.Conn) {
			fresh <- true
			test.hand(c)
		}
		k := Keep(server(t, hand), []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), []byte("x"), clients, 100)
		for range clients {
			<-fresh
		}
		for i := 0; i < later && test.reopened; i++ {
			<-fresh
		}
		r := k.Stop()
		if r.Done > 0 != test.done || r.Reopened > 0 != test.reopened || r.Failures.Lost > 0 != test.lost ||
			r.Failures.Wrong > 0 != test.wrong || r.Failures.Reset > 0 != test.reset {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestFailures(t *testing.T) {
	var f Failures
	f.Add(nil)
	for _, err := range []error{
		unix.ECONNREFUSED, unix.ECONNRESET, unix.EPIPE, io.ErrUnexpectedEOF, os.ErrDeadlineExceeded, errWrong, errors.New("x"),
	} {
		f.Add(fmt.Errorf("send: %w", err))
	}
	var sum Failures
	sum.Merge(f)
	sum.Merge(f)
	if sum.Refused != 2 || sum.Reset != 4 || sum.Lost != 4 || sum.Wrong != 2 || sum.Other != 2 || sum.Sum() != 14 {
		t.Errorf("%+v", sum)
	}
	if !errors.Is(sum.Cause, unix.ECONNREFUSED) {
		t.Errorf("%v, wanted the first error", sum.Cause)
	}
}

// TestTolerate: failed exchanges are counted and do not end the load.
func TestTolerate(t *testing.T) {
	short := server(t, func(c net.Conn) { _, _ = io.CopyN(io.Discard, c, 8); _, _ = c.Write(ask[:3]) })
	r, err := Run(Plan{Addr: short, Exchanges: []Exchange{{ask, ask}}, Clients: 4, Rate: 1000, For: 300 * time.Millisecond, Tolerate: true})
	if r == nil || r.Failures.Lost != 300 || r.Failures.Sum() != 300 {
		t.Errorf("%+v %v, wanted 300 lost", r, err)
	}
}

func TestSamples(t *testing.T) {
	addr := server(t, echo(int64(len(ask))))
	r, err := Run(Plan{Addr: addr, Exchanges: []Exchange{{ask, ask}}, Clients: 4, Keep: true, Rate: 1000, For: 100 * time.Millisecond, Sampled: true})
	if err != nil || len(r.Samples) != 100 {
		t.Fatalf("%d samples, wanted 100: %v", len(r.Samples), err)
	}
	for _, s := range r.Samples {
		if s.Due < 0 || s.Due >= 100*time.Millisecond || s.Took <= 0 {
			t.Errorf("%+v", s)
		}
	}
}

// TestPaced: a download lasts about as long as it should.
func TestPaced(t *testing.T) {
	const size, over = 1 << 20, 200 * time.Millisecond
	addr := server(t, func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
		_ = Send(c, size)
	})
	took, err := Transfer{Addr: addr, Streams: 1, Down: size, Over: over}.Run(true)
	if err != nil || took < over {
		t.Errorf("%v %v, wanted at least %v", took, err, over)
	}
}

// TestStop: a load ends early, without an error, when its channel is closed.
func TestStop(t *testing.T) {
	addr := server(t, echo(int64(len(ask))))
	stop := make(chan struct{})
	time.AfterFunc(50*time.Millisecond, func() { close(stop) })
	r, err := Run(Plan{Addr: addr, Exchanges: []Exchange{{ask, ask}}, Clients: 4, Keep: true, Rate: 1000, For: time.Minute, Stop: stop})
	if err != nil || r.Elapsed > 10*time.Second {
		t.Errorf("%v after %v", err, r.Elapsed)
	}
}
