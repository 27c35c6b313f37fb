package actor

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/engine/kernel"
)

// relay connects each client with the server. It is correct, or it has one fault, by which the
// verdicts are tested.
type relay struct {
	at, to kernel.Address
	// change alters bytes of one direction, of which so many came before. It also says whether
	// the direction ends there with FIN.
	change func(b []byte, before int) ([]byte, bool)
	closed bool // does not listen
	lose   bool // closes each client's connection at once
	mute   bool // passes no FIN on
	twice  bool // sends the bytes of a client to two servers
	cross  bool // exchanges the servers of two clients
	soft   bool // passes RST on as FIN
	hard   bool // passes FIN on as RST
}

// run accepts clients for ever.
func (y *relay) run(a *Actor) {
	l, err := a.Listen(y.at, 10)
	if err != nil {
		panic(err)
	}
	if y.closed {
		_ = l.Close()
	}
	for number := 1; ; number++ {
		c, err := l.Accept()
		if err != nil {
			return
		}
		a.Go(fmt.Sprint("connection ", number), func(b *Actor) { y.connect(b, l, c) })
	}
}

// connect serves one client, or two at once if it exchanges their servers.
func (y *relay) connect(a *Actor, l *Listener, c *Conn) {
	s, err := a.Dial(y.to)
	switch {
	case y.lose || err != nil:
		_ = c.Close()
		return
	case y.twice:
		again, _ := a.Dial(y.to)
		y.pump(a, c, s, again)
	case y.cross:
		c2, _ := l.Accept()
		s2, _ := a.Dial(y.to)
		y.pump(a, c, s)
		y.pump(a, s, c2)
		y.pump(a, c2, s2)
		y.pump(a, s2, c)
		return
	default:
		y.pump(a, c, s)
	}
	y.pump(a, s, c)
}

// pump starts to pass on the bytes of one direction.
func (y *relay) pump(a *Actor, from *Conn, to ...*Conn) {
	a.Go("pump", func(*Actor) {
		b, before := make([]byte, 1000), 0
		for {
			n, err := from.Read(b)
			if err != nil {
				y.end(err, to)
				return
			}
			out, fin := y.changed(b[:n], before)
			before += n
			for _, conn := range to {
				if _, err := conn.Write(out); err != nil {
					_ = from.Reset()
					return
				}
			}
			if fin {
				_ = to[0].CloseWrite()
				_, _ = io.Copy(io.Discard, from)
				return
			}
		}
	})
}

func (y *relay) changed(b []byte, before int) ([]byte, bool) {
	if y.change == nil {
		return b, false
	}
	return y.change(slices.Clone(b), before)
}

// end passes on the end of a direction.
func (y *relay) end(err error, to []*Conn) {
	fin := errors.Is(err, io.EOF)
	for _, conn := range to {
		if fin && y.mute {
			return
		}
		if fin && !y.hard || !fin && y.soft {
			_ = conn.CloseWrite()
		} else {
			_ = conn.Reset()
		}
	}
}

// within calls change for the piece that contains byte at and byte at+1 of a direction.
func within(at int, change func(b []byte, i int) ([]byte, bool)) func([]byte, int) ([]byte, bool) {
	return func(b []byte, before int) ([]byte, bool) {
		if i := at - before; i >= 0 && i+1 < len(b) {
			return change(b, i)
		}
		return b, false
	}
}

// The verdicts find every fault of a relay.
func TestVerdicts(t *testing.T) {
	t.Logf("-actor.seed=%d", *seed)
	const place = 100
	for name, x := range map[string]struct {
		relay relay
		want  string // in the failure
	}{
		"swapped bytes": {relay{change: within(place, func(b []byte, i int) ([]byte, bool) {
			b[i], b[i+1] = b[i+1], b[i]
			return b, false
		})}, "gets a wrong byte 100"},
		"lost byte": {relay{change: within(place, func(b []byte, i int) ([]byte, bool) {
			return slices.Delete(b, i, i+1), false
		})}, "gets a wrong byte 100"},
		"extra byte": {relay{change: within(place, func(b []byte, i int) ([]byte, bool) {
			return slices.Insert(b, i, 'x'), false
		})}, "gets a wrong byte 100"},
		"right byte too much": {relay{change: func(b []byte, before int) ([]byte, bool) {
			var next [4000]byte
			Stamp(next[:], StreamOf(1, true), 0)
			if before == 0 && b[0] == next[0] {
				return next[:], false
			}
			return b, false
		}}, "that were sent"},
		"early FIN":               {relay{change: within(place, func(b []byte, i int) ([]byte, bool) { return b[:i], true })}, "got FIN behind 100 of"},
		"FIN passed on as RST":    {relay{hard: true}, "both ends are polite, but"},
		"RST passed on as FIN":    {relay{soft: true}, "got FIN, which"},
		"another client's server": {relay{cross: true}, "conversation"},
		"two servers":             {relay{twice: true}, "reached two servers"},
		"no server":               {relay{lose: true}, "reached no server"},
		"no relay":                {relay{closed: true}, "cannot connect"},
		"lost FIN":                {relay{mute: true}, "for ever"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(*seed, 7))
			for range 100 {
				x.relay.at, x.relay.to = behind, overTCP
				s := (&scene{seed: r.Uint64(), count: 2, at: overTCP, delayed: r.IntN(2) == 0, relay: &x.relay}).play()
				if strings.Contains(strings.Join(s.Cast.Failures(), "\n"), x.want) {
					return
				}
			}
			t.Errorf("no failure contains %q", x.want)
		})
	}
}

// A relay without a fault passes all verdicts.
func TestRelay(t *testing.T) {
	t.Logf("-actor.seed=%d", *seed)
	r := rand.New(rand.NewPCG(*seed, 8))
	for range 300 {
		between := &relay{at: []kernel.Address{behind, {Path: "@relay"}}[r.IntN(2)], to: []kernel.Address{overTCP, overUNIX}[r.IntN(2)]}
		x := &scene{seed: r.Uint64(), count: 1 + r.IntN(10), at: between.to, delayed: r.IntN(2) == 0, relay: between,
			options: StreamOptions{First: Speaker(r.IntN(3))}}
		if s := x.play(); len(s.Cast.Failures()) > 0 {
			x.fail(t, s)
			return
		}
	}
}
