package main

import (
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random tests")

// engineCalls records what signals did to the engine.
type engineCalls struct{ made []string }

func (e *engineCalls) reload(string) { e.made = append(e.made, "reload") }

func (e *engineCalls) Drain() { e.made = append(e.made, "drain") }
func (e *engineCalls) Stop()  { e.made = append(e.made, "stop") }

func TestSignalsAsHAProxy(t *testing.T) {
	for _, c := range []struct {
		name    string
		signals []syscall.Signal
		want    string
	}{
		{"TERM stops", []syscall.Signal{syscall.SIGTERM}, "stop"},
		{"INT stops", []syscall.Signal{syscall.SIGINT}, "stop"},
		{"USR1 drains", []syscall.Signal{syscall.SIGUSR1}, "drain"},
		{"second USR1 ends the drain", []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR1}, "drain stop"},
		{"TERM ends the drain", []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM}, "drain stop"},
		{"HUP and USR2 reload", []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR2}, "reload reload"},
		{"HUP does not end a drain", []syscall.Signal{syscall.SIGUSR1, syscall.SIGHUP}, "drain reload"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := callsFor(c.signals); got != c.want {
				t.Errorf("got '%s', want '%s'", got, c.want)
			}
		})
	}
}

func callsFor(signals []syscall.Signal) string {
	caught, done := make(chan os.Signal), make(chan struct{})
	e := &engineCalls{}
	var over sync.WaitGroup
	o := orders{engine: e, reload: e.reload, stopping: func() {}, log: zap.NewNop()}
	over.Go(func() { o.obey(caught, done) })
	for _, s := range signals {
		caught <- s
	}
	close(done)
	over.Wait()
	return strings.Join(e.made, " ")
}

func TestTermAtAnyTimeUnderLoad(t *testing.T) {
	t.Logf("seed %d (go test -args -seed=N)", *seed)
	r := rand.New(rand.NewPCG(*seed, 0))
	server := echo(t)
	for range 6 {
		p := startProc(t, "-f", config(t, server))
		enough := int64(r.IntN(300))
		stop := underLoad(p.addr, 4)
		waitFor(t, "requests answered", func() bool { return stop.answered.Load() >= enough })
		p.signal(t, syscall.SIGTERM)
		p.endsWell(t)
		stop.end()
	}
}

// load is a group of clients that ask until they are told to end.
type load struct {
	answered atomic.Int64
	over     atomic.Bool
	clients  sync.WaitGroup
}

func underLoad(addr string, clients int) *load {
	l := &load{}
	for range clients {
		l.clients.Go(func() {
			for !l.over.Load() {
				if askOnce(addr) == nil {
					l.answered.Add(1)
				}
			}
		})
	}
	return l
}

func (l *load) end() {
	l.over.Store(true)
	l.clients.Wait()
}

func askOnce(addr string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	return ask(c)
}

func TestUSR1LetsSessionsEnd(t *testing.T) {
	p := startProc(t, "-f", config(t, echo(t)))
	c := dial(t, p.addr)
	mustAsk(t, c)
	p.signal(t, syscall.SIGUSR1)
	waitFor(t, "new connections refused", func() bool { return askOnce(p.addr) != nil })
	mustAsk(t, c)
	c.Close()
	p.endsWell(t)
}

func TestSecondSignalEndsADrain(t *testing.T) {
	for _, second := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGINT} {
		p := startProc(t, "-f", config(t, echo(t)))
		c := dial(t, p.addr)
		mustAsk(t, c)
		p.signal(t, syscall.SIGUSR1)
		waitFor(t, "the drain in the log", func() bool { return strings.Contains(p.stderr.String(), "draining") })
		p.signal(t, second)
		p.endsWell(t)
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%v: the session should have ended, read says %v", second, err)
		}
	}
}

// HAProxy's signals to pause and resume do not stop the process.
func TestSignalsOfPauseAreIgnored(t *testing.T) {
	p := startProc(t, "-f", config(t, echo(t)))
	p.signal(t, syscall.SIGTTOU)
	p.signal(t, syscall.SIGTTIN)
	mustAsk(t, dial(t, p.addr))
	p.signal(t, syscall.SIGTERM)
	p.endsWell(t)
}
