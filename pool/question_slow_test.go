package pool

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"sluice/conf"
)

func TestDeadlineOfAnAnswer(t *testing.T) {
	start := time.Now()
	connected := start.Add(300 * time.Millisecond)
	for _, tt := range []struct {
		check, inter time.Duration
		want         time.Time
	}{
		{0, 2 * time.Second, start.Add(2 * time.Second)},
		{time.Second, 2 * time.Second, connected.Add(time.Second)},
		{5 * time.Second, 2 * time.Second, connected.Add(5 * time.Second)},
	} {
		c := asked(conf.Address{IP: weighted(1).Servers[0].Address.IP, Port: 1})
		c.Timeout.Check, c.Servers[0].Inter = tt.check, tt.inter
		if got := newQuestion(mustNew(t, c).Servers()[0], c).deadline(start, connected); got != tt.want {
			t.Errorf("timeout check %v, inter %v: %v from the start", tt.check, tt.inter, got.Sub(start))
		}
	}
}

func TestServerThatSaysNothing(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1:0")
	answering(t, l, func(conn net.Conn, _ string) { waitForEnd(conn) })
	c := asked(tcpAddress(l))
	c.Servers[0].Inter, c.Timeout.Check = time.Minute, 50*time.Millisecond
	want := "Server bk/a is DOWN, reason: Layer7 timeout, check duration: 0ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue."
	if got := wait(t, follow(t, mustNew(t, c))); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// One byte per second is progress, but the answer does not arrive in time.
func TestServerThatDrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		go func() {
			defer ours.Close()
			start := time.Now()
			_, _, err := talk(ours, []byte("HEAD / HTTP/1.0\r\n\r\n"), start.Add(5500*time.Millisecond))
			if r := unanswered(err); r != (Result{Status: L7TOUT}) || time.Since(start) != 5500*time.Millisecond {
				t.Errorf("%+v after %v, want L7TOUT after 5.5s", r, time.Since(start))
			}
		}()
		readRequest(theirs)
		for sent := 0; ; sent++ {
			<-time.After(time.Second)
			if _, err := theirs.Write([]byte{"HTTP/1.0 200 OK\r\n\r\n"[sent]}); err != nil {
				if sent != 5 {
					t.Errorf("%d bytes taken, want 5", sent)
				}
				return
			}
		}
	})
}

// flood writes without end and returns how many bytes were accepted.
func flood(conn net.Conn, head, more string) (taken int) {
	for text := head; ; text = more {
		n, err := io.WriteString(conn, text)
		taken += n
		if err != nil {
			return taken
		}
	}
}

// An answer of any length is handled, because a check reads only its beginning.
func TestServerThatNeverEnds(t *testing.T) {
	const most = 64 << 20 // much more than the sockets of both sides can hold
	block := fmt.Sprintf("X: %065536d\r\n", 0)
	for _, tt := range []struct {
		name, head string
		want       Result
	}{
		{"body", "HTTP/1.0 200 OK\r\n\r\n", Result{OK: true, Status: L7OK, Code: 200}},
		{"head", "HTTP/1.0 200 OK\r\n", Result{Status: L7RSP}},
		{"line", "HTTP/1.0 200 ", Result{Status: L7RSP}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			taken := make(chan int, 1)
			got := once(t, conf.HTTPCheck{}, func(conn net.Conn) { taken <- flood(conn, tt.head, block) })
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if n := <-taken; n > most {
				t.Errorf("the server could send %d bytes", n)
			}
		})
	}
}

// A check that takes longer than inter delays the next check.
func TestOneCheckInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := weighted(1)
		c.Servers[0].Check = true
		began := time.Now()
		var at []time.Duration
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		mustNew(t, c).check(ctx, func(*Server) prober {
			return probeFunc(func() Result {
				at = append(at, time.Since(began))
				<-time.After(5 * time.Second)
				return result('+')
			})
		}, func(Event) {})
		if got, want := fmt.Sprint(at), "[0s 7s 14s]"; got != want {
			t.Errorf("checks at %s, want %s", got, want)
		}
	})
}
