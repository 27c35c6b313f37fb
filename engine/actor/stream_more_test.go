package actor

import (
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/engine/kernel"
)

// A seed gives the same trace each time, and all conversations have a verdict.
func TestSameTrace(t *testing.T) {
	t.Logf("-actor.seed=%d", *seed)
	r := rand.New(rand.NewPCG(*seed, 3))
	for range 30 {
		x := scene{seed: r.Uint64(), count: 5, at: overTCP, delayed: true, options: StreamOptions{Large: 5000}}
		var traces [2][]string
		for i := range traces {
			x.trace = func(line string) { traces[i] = append(traces[i], line) }
			if judged, started := x.play().Count(); judged != 5 || started != 5 {
				t.Fatalf("%d of %d conversations have a verdict", judged, started)
			}
		}
		if !slices.Equal(traces[0], traces[1]) {
			t.Fatalf("seed %d: two traces", x.seed)
		}
	}
}

// Random plans contain everything that a plan can say, and most of them are polite.
func TestDraw(t *testing.T) {
	t.Logf("-actor.seed=%d", *seed)
	r := rand.New(rand.NewPCG(*seed, 4))
	var endings [Deaf + 1]int
	polite, large, empty, urgent, slow := 0, 0, 0, 0, 0
	const plans = 2000
	for number := range plans {
		p := DrawStream(r, number, "", StreamOptions{})
		for _, side := range []*StreamSide{&p.Client, &p.Server} {
			endings[side.End]++
			count(&urgent, side.Urgent > 0)
			count(&slow, side.Read.Pause > 0)
		}
		count(&polite, p.Polite())
		count(&large, p.Total(true) > 100_000)
		count(&empty, p.Total(true) == 0)
	}
	for e, n := range endings {
		if n < plans/100 {
			t.Errorf("%d ends of %d: %v", n, 2*plans, Ending(e))
		}
	}
	if polite < plans/2 || large == 0 || empty == 0 || urgent == 0 || slow == 0 {
		t.Errorf("%d polite, %d large, %d empty, %d urgent, %d slow", polite, large, empty, urgent, slow)
	}
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}

// People can read a plan.
func TestPlanText(t *testing.T) {
	p := &StreamPlan{Number: 7, Prefix: "GET /" + NameOf(7) + "\r\n",
		Client: StreamSide{Pieces: []Piece{{Size: 30}, {Size: 400, After: 20, Pause: time.Millisecond}}, Urgent: 1},
		Server: StreamSide{Pieces: []Piece{{Size: 20}}, End: Deaf, Read: Reading{Stop: 5, Most: 1}, Patience: time.Minute}}
	want := `conversation 7: the client speaks first.
  client: 21 bytes of prefix, 30 bytes, urgent byte, 400 bytes when it has 20 and 1ms later, sends FIN and reads to the end
  server: 20 bytes, never reads, reads 1 bytes at once, reads no more after 5 bytes, patience 1m0s`
	if got := p.String(); got != want {
		t.Errorf("%s", got)
	}
}

// A byte behind FIN is a failure. No kernel delivers one, so the test pretends that FIN came.
func TestBehindFIN(t *testing.T) {
	c := NewCast(kernel.New(kernel.Options{}))
	defer c.Stop()
	c.Spawn("server", func(a *Actor) {
		l, _ := a.Listen(overTCP, 1)
		conn, _ := l.Accept()
		_, _ = conn.Write([]byte("x"))
		a.Until("waits", func() bool { return false })
	})
	c.Spawn("client", func(a *Actor) {
		conn, _ := a.Dial(overTCP)
		a.Pause(time.Second)
		e := &end{streams: NewStreams(c), actor: a, conn: conn, talk: &conversation{plan: &StreamPlan{Number: 1}}}
		e.Read = io.EOF
		e.checkSilence()
	})
	play(c)
	if f := strings.Join(c.Failures(), "\n"); f != "conversation 1: bytes came behind FIN to client" {
		t.Errorf("%s", f)
	}
}

// A conversation of 2 KB each way, directly connected.
func BenchmarkStreams(b *testing.B) {
	for name, delayed := range map[string]bool{"at once": false, "delayed": true} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			const count = 10
			for i := 0; i < b.N; i += count {
				talkTwice(uint64(i), count, delayed)
			}
		})
	}
}

// talkTwice plays conversations of 2 KB each way.
func talkTwice(seed uint64, count int, delayed bool) {
	c := NewCast(kernel.New(kernel.Options{Seed: seed, Delayed: delayed}))
	defer c.Stop()
	s := NewStreams(c)
	c.Spawn("server", func(a *Actor) {
		l, _ := a.Listen(overTCP, 10)
		s.Serve(a, l, nil)
	})
	for number := 1; number <= count; number++ {
		c.Spawn(NameOf(number), func(a *Actor) {
			a.Pause(1)
			side := StreamSide{Pieces: []Piece{{Size: 2000}}}
			_ = s.Talk(a, overTCP, &StreamPlan{Number: number, Client: side, Server: side})
		})
	}
	play(c)
	s.Finish()
	if len(c.Failures()) > 0 {
		panic(c.Failures()[0])
	}
}
