package scenario

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Sink receives the log lines of all proxies by UDP and counts them.
type Sink struct {
	conn  *net.UDPConn
	lines atomic.Int64
	over  sync.WaitGroup
}

// NewSink returns a sink that listens on the loopback.
func NewSink() (*Sink, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		return nil, fmt.Errorf("the sink of log lines: %w", err)
	}
	_ = conn.SetReadBuffer(4 << 20) // without privileges the kernel grants less, which is enough
	s := &Sink{conn: conn}
	s.over.Go(func() {
		for line := make([]byte, 64<<10); ; s.lines.Add(1) {
			if _, err := conn.Read(line); err != nil {
				return
			}
		}
	})
	return s, nil
}

// Addr returns the address to which log lines are sent.
func (s *Sink) Addr() netip.AddrPort { return s.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Lines returns the number of lines received so far.
func (s *Sink) Lines() int64 { return s.lines.Load() }

// Await returns the number of lines received since the count since. It waits up to a second
// until wanted lines have come, because proxies write them after the end of a connection.
func (s *Sink) Await(since, wanted int64) int64 {
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	late := time.After(time.Second)
	for s.Lines()-since < wanted {
		select {
		case <-again.C:
		case <-late:
			return s.Lines() - since
		}
	}
	return s.Lines() - since
}

// Close stops the sink.
func (s *Sink) Close() {
	s.conn.Close()
	s.over.Wait()
}
