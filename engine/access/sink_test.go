package access

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"pgregory.net/rapid"

	"sluice/conf"
)

// closedLog returns a log whose collector has ended, so that nothing reads the rings.
func closedLog() *Log {
	l := Open("haproxy", zap.NewNop())
	l.Close()
	return l
}

// TestRing compares a sink with a simple queue over random writes and reads.
func TestRing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := closedLog().NewSink()
		var queue [][]byte
		var used, drops int
		var f frame
		t.Repeat(map[string]func(*rapid.T){
			"send": func(t *rapid.T) {
				line := bytes.Repeat([]byte{byte(len(queue))}, rapid.IntRange(0, 100_000).Draw(t, "length"))
				s.Send(7, Notice, line)
				if used+frameHeader+len(line) > ringSize {
					drops++
					return
				}
				used += frameHeader + len(line)
				queue = append(queue, line)
			},
			"fetch": func(t *rapid.T) {
				if len(queue) == 0 {
					t.Skip("nothing to fetch")
				}
				s.next(&f)
				if !bytes.Equal(f.line, queue[0]) || f.to != 7 || f.level != Notice || time.Since(f.at) > time.Minute {
					t.Fatalf("fetched %d bytes %+v, want %d", len(f.line), f.to, len(queue[0]))
				}
				used -= frameHeader + len(queue[0])
				queue = queue[1:]
			},
			"": func(t *rapid.T) {
				if s.pending() != (len(queue) > 0) || int(s.drops.count.Load()) != drops {
					t.Fatalf("pending %v with %d queued, %d drops, want %d", s.pending(), len(queue), s.drops.count.Load(), drops)
				}
			},
		})
	})
}

func TestSendWithoutRouteMakesNoRing(t *testing.T) {
	s := closedLog().NewSink()
	s.Send(None, Info, []byte("line"))
	if s.ring != nil {
		t.Error("a line for nobody made a ring")
	}
}

// TestManyLoops sends from several goroutines and checks the lines of each.
func TestManyLoops(t *testing.T) {
	const loops, lines = 4, 2000
	l, path, route := fileLog(t)
	var wg sync.WaitGroup
	for loop := range loops {
		sink := l.NewSink()
		wg.Go(func() {
			for i := range lines {
				sink.Send(route, Info, fmt.Appendf(nil, "%d %d", loop, i))
			}
		})
	}
	wg.Go(func() {
		for i := range lines {
			l.Say(route, Notice, fmt.Sprintf("%d %d", loops, i))
		}
	})
	wg.Wait()
	l.Close()
	next := make([]int, loops+1)
	for _, line := range readLines(t, path) {
		var loop, i int
		if _, err := fmt.Sscanf(line, "%d %d", &loop, &i); err != nil || i != next[loop] {
			t.Fatalf("line %q: want number %d of its loop (%v)", line, next[loop], err)
		}
		next[loop]++
	}
	for loop, n := range next {
		if n != lines {
			t.Errorf("loop %d: %d lines arrived, want %d; %d dropped", loop, n, lines, l.Dropped())
		}
	}
}

func TestSendDoesNotAllocate(t *testing.T) {
	l := Open("haproxy", zap.NewNop())
	defer l.Close()
	route := mustRoute(t, l, conf.LogTarget{Kind: conf.LogFile, Path: "/dev/null", Facility: "local0"})
	s, line := l.NewSink(), bytes.Repeat([]byte("x"), 100)
	const lines = ringSize / 2 / 128
	for range 10 { // until the buffers of the other goroutines have their final size
		for range lines {
			s.Send(route, Info, line)
		}
		eventually(t, "the ring is empty", func() bool { return !s.pending() })
	}
	if n := testing.AllocsPerRun(lines, func() { s.Send(route, Info, line) }); n != 0 || l.Dropped() != 0 {
		t.Errorf("%v allocations a line and %d lines dropped, want 0", n, l.Dropped())
	}
}

// BenchmarkSend empties the ring itself, because sending to a full ring would be faster.
func BenchmarkSend(b *testing.B) {
	s, line := closedLog().NewSink(), bytes.Repeat([]byte("x"), 100)
	b.ReportAllocs()
	for b.Loop() {
		s.Send(1, Info, line)
		s.head.Store(s.tail.Load())
	}
}
