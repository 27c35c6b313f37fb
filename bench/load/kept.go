package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Kept are clients that send HTTP requests over connections that they keep, at a steady rate. As
// browsers do, a client opens a new connection if the last answer has `Connection: close`, or if
// the server has closed the connection between two requests. Neither is a failure.
type Kept struct {
	addr    netip.AddrPort
	request []byte
	body    []byte        // expected body of each answer
	pause   time.Duration // between two requests of a client
	stop    chan struct{} // closed by Stop
	over    sync.WaitGroup
	mu      sync.Mutex
	total   Requests // of the clients that have ended; guarded by mu
}

// Requests are the counts of Kept.
type Requests struct {
	Done     int64 // answered with status 200 and the expected body
	Reopened int64 // connections opened after the first one of each client
	Failures Failures
}

// Keep starts clients that together send rate requests per second, until Stop.
func Keep(addr netip.AddrPort, request, body []byte, clients int, rate float64) *Kept {
	k := &Kept{
		addr: addr, request: request, body: body, stop: make(chan struct{}),
		pause: time.Duration(float64(clients) / rate * float64(time.Second)),
	}
	for i := range clients {
		k.over.Go(func() { k.client(k.pause * time.Duration(i) / time.Duration(clients)) })
	}
	return k
}

// Stop ends the clients after their current requests.
func (k *Kept) Stop() Requests {
	close(k.stop)
	k.over.Wait()
	return k.total
}

// keeper is one client of Kept. Its goroutine owns it.
type keeper struct {
	*Kept
	conn   *net.TCPConn // nil: none
	reader *bufio.Reader
	opened int64
	own    Requests
}

func (k *Kept) client(first time.Duration) {
	c := &keeper{Kept: k}
	next := time.NewTimer(first)
	defer next.Stop()
	for {
		select {
		case <-k.stop:
			c.drop()
			k.mu.Lock()
			defer k.mu.Unlock()
			k.total.Done += c.own.Done
			k.total.Reopened += max(0, c.opened-1)
			k.total.Failures.Merge(c.own.Failures)
			return
		case <-next.C:
		}
		next.Reset(k.pause)
		if err := c.visit(); err != nil {
			c.own.Failures.Add(err)
			c.drop()
			continue
		}
		c.own.Done++
	}
}

// visit makes one request, on a new connection if there is none that is still open.
func (c *keeper) visit() error {
	closed, err := c.closedByServer()
	if err != nil {
		return fmt.Errorf("between two requests: %w", err)
	}
	if closed {
		c.drop()
	}
	if c.conn == nil {
		if err := c.open(); err != nil {
			return err
		}
	}
	if err := c.conn.SetDeadline(time.Now().Add(grace)); err != nil {
		return err
	}
	if _, err := c.conn.Write(c.request); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	answer, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("body after %d bytes: %w", len(body), err)
	}
	if answer.StatusCode != http.StatusOK || !bytes.Equal(body, c.body) {
		return fmt.Errorf("%w: status %s, body %.40q", errWrong, answer.Status, body)
	}
	if answer.Close {
		c.drop()
		return nil
	}
	return c.conn.SetDeadline(time.Time{})
}

func (c *keeper) open() error {
	conn, err := net.DialTimeout("tcp", c.addr.String(), grace)
	if err != nil {
		return err
	}
	c.conn, c.reader = conn.(*net.TCPConn), bufio.NewReader(conn)
	c.opened++
	return nil
}

func (c *keeper) drop() {
	if c.conn != nil {
		c.conn.Close()
	}
	c.conn = nil
}

// closedByServer reports whether the server has closed the idle connection. It returns an error if
// the connection was reset, or if bytes have come that belong to no request.
func (c *keeper) closedByServer() (bool, error) {
	if c.conn == nil {
		return false, nil
	}
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return false, err
	}
	var n int
	var peeked error
	err = raw.Read(func(fd uintptr) bool {
		n, _, peeked = unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return true
	})
	switch {
	case err != nil:
		return false, err
	case errors.Is(peeked, syscall.EAGAIN):
		return false, nil
	case peeked != nil:
		return false, peeked
	case n > 0:
		return false, fmt.Errorf("%w: bytes that belong to no answer", errWrong)
	}
	return true, nil
}
