//go:build !simulation

package engine

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sluice/engine/session"
	"sync"
	"testing"
	"time"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random tests")

// trial runs many clients and a server that all send to each other through a balancer at the
// same time. Each stream has its own number, content and sizes.
type trial struct {
	streams int
	size    int64 // approximate size of a stream in one direction, in bytes
	random  bool  // random pieces and pauses
}

// way selects how the balancer moves the bytes.
type way struct {
	name    string
	network string
	bind    string
	change  func(*Options)
}

func sockets(t *testing.T) []way {
	t.Helper()
	return []way{
		{name: "IPv4", network: "tcp4", bind: "127.0.0.1:1"},
		{name: "IPv6", network: "tcp6", bind: "[::1]:1"},
		{name: "UNIX", network: "unix", bind: "unix@" + filepath.Join(t.TempDir(), "front")},
	}
}

// noPipes makes the balancer copy all bytes.
func noPipes(o *Options) { o.Plan.Pipes = 0 }

// noBudget makes the memory budget so small that flows hold almost no bytes.
func noBudget(o *Options) { o.Plan.Memory.Readers = 1 }

// TestExactBulk: one client and one server send as fast as they can at the same time.
func TestExactBulk(t *testing.T) {
	x := trial{streams: 1, size: small(1<<30, 64<<20)}
	v4 := sockets(t)[0]
	t.Run("splice", func(t *testing.T) {
		b := x.run(t, v4)
		if moved, all := b.Stat.Spliced.Load(), b.Stat.In()+b.Stat.Out(); moved < all/10*9 {
			t.Errorf("%d of %d bytes were spliced; want nearly all", moved, all)
		}
	})
	t.Run("copy", func(t *testing.T) {
		v4.change = noPipes
		if moved := x.run(t, v4).Stat.Spliced.Load(); moved != 0 {
			t.Errorf("%d bytes were spliced without pipes", moved)
		}
	})
}

// TestExactParallel: many streams have random pieces and pauses at both ends. Their directions
// end at different times.
func TestExactParallel(t *testing.T) {
	x := trial{streams: 64, size: small(16<<20, 256<<10), random: true}
	for _, w := range sockets(t) {
		if w.network != "tcp4" {
			x.size = small(4<<20, 256<<10)
		}
		for name, change := range map[string]func(*Options){"splice": nil, "copy": noPipes, "no budget": noBudget} {
			t.Run(w.name+" "+name, func(t *testing.T) {
				w.change = change
				moved := x.run(t, w).Stat.Spliced.Load()
				if name == "splice" && moved == 0 || name == "copy" && moved != 0 {
					t.Errorf("%d bytes were spliced", moved)
				}
			})
		}
	}
}

func small(size, withDetector int64) int64 {
	if racing {
		return withDetector
	}
	return size
}

// run plays all streams, waits for their end and returns the balancer.
func (x trial) run(t *testing.T, w way) *balancer {
	t.Helper()
	t.Logf("-seed %d", *seed)
	errs := make(chan error, 4*x.streams)
	origin := x.origin(t, w.network, errs)
	b := startWith(t, `
  timeout connect 10s
  timeout client 1m
  timeout server 1m
frontend f
  bind `+w.bind+`
  default_backend b
backend b
  server s `+origin, w.change)
	for number := range x.streams {
		c := b.dial("f")
		go x.play(c, uint64(number), session.Client, errs)
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	wait(t, "the sessions to end", func() bool { return b.Sessions() == 0 })
	return b
}

// origin starts the server of the streams and returns its address as in a configuration. A
// client first sends the number of its stream.
func (x trial) origin(t *testing.T, network string, errs chan<- error) string {
	t.Helper()
	addr := map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0", "unix": filepath.Join(t.TempDir(), "origin")}[network]
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	var working sync.WaitGroup
	working.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			working.Go(func() { x.play(c, 0, session.Server, errs) })
		}
	})
	t.Cleanup(func() { ln.Close(); working.Wait() })
	if network == "unix" {
		return "unix@" + addr
	}
	return ln.Addr().String()
}

// play is one end of a stream. It reports one error, or nil, per direction.
func (x trial) play(c net.Conn, number uint64, end session.Side, errs chan<- error) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
	if err := greet(c, &number, end); err != nil {
		errs <- err
		errs <- errors.New("and so the stream was not sent")
		return
	}
	var working sync.WaitGroup
	working.Go(func() {
		err := send(c, x.content(number, end), x.manner(number, end, 1))
		errs <- x.named(err, number, end, "sending")
	})
	theirs := x.content(number, end.Other())
	err := receive(c, theirs.seed, theirs.size, x.manner(number, end, 2))
	errs <- x.named(err, number, end, "receiving")
	working.Wait()
}

// greet sends the stream's number to the server, or reads it there.
func greet(c net.Conn, number *uint64, end session.Side) error {
	var word [8]byte
	if end == session.Client {
		binary.BigEndian.PutUint64(word[:], *number)
		_, err := c.Write(word[:])
		return err
	}
	_, err := io.ReadFull(c, word[:])
	*number = binary.BigEndian.Uint64(word[:])
	return err
}

// content returns the bytes that one end of a stream sends. A random stream has a random size
// of about the trial's size.
func (x trial) content(number uint64, from session.Side) *content {
	size := x.size
	if x.random {
		size = rand.New(rand.NewPCG(*seed, number<<1|uint64(from))).Int64N(2 * size)
	}
	return newContent(*seed+number<<1|uint64(from), size)
}

func (x trial) manner(number uint64, end session.Side, task uint64) manner {
	if !x.random {
		return manner{}
	}
	return manner{rng: rand.New(rand.NewPCG(*seed^task, number<<1|uint64(end)))}
}

func (x trial) named(err error, number uint64, end session.Side, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("stream %d, %s %s: %w", number, [...]string{"client", "server"}[end], doing, err)
}
