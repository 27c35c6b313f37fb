package load

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Held is a set of connections that stay open until Close.
type Held struct {
	conns []net.Conn
	stop  chan struct{} // closed by Close; ends Drip
	over  sync.WaitGroup
	bytes atomic.Int64 // sent by Drip
	mu    sync.Mutex
	cause error // first error of any connection; guarded by mu
}

// openers is the number of connections that are opened at the same time.
const openers = 32

// Hold opens n connections and makes one exchange on each. It returns when all exchanges are
// finished. If one fails, Hold closes all connections and returns the error.
func Hold(addr netip.AddrPort, first Exchange, n int) (*Held, error) {
	h := &Held{stop: make(chan struct{}), conns: make([]net.Conn, n)}
	var next atomic.Int64
	var open sync.WaitGroup
	for range min(openers, n) {
		open.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && h.err() == nil; i = next.Add(1) - 1 {
				c, err := opened(addr, first)
				h.conns[i] = c
				h.failed(err)
			}
		})
	}
	open.Wait()
	if err := h.err(); err != nil {
		_ = h.Close() // Close returns the same error
		return nil, fmt.Errorf("hold %d connections: %w", n, err)
	}
	return h, nil
}

// opened returns a connection on which one exchange was made.
func opened(addr netip.AddrPort, first Exchange) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", addr.String(), grace)
	if err != nil {
		return nil, err
	}
	if err := exchange(c, first); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func exchange(c net.Conn, e Exchange) error {
	if err := c.SetDeadline(time.Now().Add(grace)); err != nil {
		return err
	}
	if _, err := c.Write(e.Request); err != nil {
		return err
	}
	got := make([]byte, len(e.Answer))
	if n, err := io.ReadFull(c, got); err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", n, len(got), err)
	}
	if !bytes.Equal(got, e.Answer) {
		return fmt.Errorf("%w: got %.40q, wanted %.40q", errWrong, got, e.Answer)
	}
	return c.SetDeadline(time.Time{})
}

// Again makes an exchange on each connection, one after the other, and returns those that failed.
func (h *Held) Again(e Exchange) (failures Failures) {
	for _, c := range h.conns {
		failures.Add(exchange(c, e))
	}
	return failures
}

// beats is the number of times per second that Drip sends. Each time it serves another part of
// the connections.
const beats = 100

// Drip starts to send one byte per second on each connection, until Close. The sends are spread
// evenly over the second.
func (h *Held) Drip() {
	h.over.Go(func() {
		tick := time.NewTicker(time.Second / beats)
		defer tick.Stop()
		for beat := 0; ; beat = (beat + 1) % beats {
			select {
			case <-h.stop:
				return
			case <-tick.C:
			}
			for i := beat; i < len(h.conns); i += beats {
				_, err := h.conns[i].Write([]byte{'.'})
				h.failed(err)
				h.bytes.Add(1)
			}
		}
	})
}

// Dripped returns the number of bytes that Drip has sent.
func (h *Held) Dripped() int64 { return h.bytes.Load() }

// Close closes the connections. It returns the first error that one of them had before.
func (h *Held) Close() error {
	close(h.stop)
	h.over.Wait()
	for _, c := range h.conns {
		if c != nil {
			c.Close()
		}
	}
	return h.err()
}

// failed records err if it is the first error.
func (h *Held) failed(err error) {
	if err == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cause == nil {
		h.cause = err
	}
}

func (h *Held) err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cause
}
