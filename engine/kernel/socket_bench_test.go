package kernel

import (
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkConversation measures one connection with a request and an answer of 1 KB.
func BenchmarkConversation(b *testing.B) {
	k := New(Options{Seed: 1, Delayed: true})
	p := k.Process("bench")
	l, _ := p.Socket(unix.AF_INET)
	p.Bind(l, at)
	p.Listen(l, 5)
	data := make([]byte, 1024)
	for b.Loop() {
		c, _ := p.Socket(unix.AF_INET)
		p.Connect(c, at)
		for k.Step() {
		}
		s, _, _ := p.Accept(l)
		for _, end := range [][2]int{{c, s}, {s, c}} {
			p.Write(end[0], data)
			for k.Step() {
			}
			p.Read(end[1], data)
		}
		p.Close(c)
		p.Close(s)
		for k.Step() {
		}
	}
}
