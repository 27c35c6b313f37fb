package kernel

import (
	"bytes"
	"testing"
)

func TestPipe(t *testing.T) {
	for name, script := range map[string]string{
		"bytes and ends": `
			read r 9 = EAGAIN
			write w 5 = 5
			read r 3 = 3
			read r 9 = 2
			read r 9 = EAGAIN
			close w
			read r 9 = 0`,
		"no reader": `
			close r
			poll w = OUT|ERR
			write w 0 = 0
			write w 1 = EPIPE`,
		"bytes are readable after the writer is gone": `
			write w 5
			close w
			poll r = IN|HUP
			read r 9 = 5
			poll r = HUP`,
		"the wrong end": `
			read w 1 = EBADF
			write r 1 = EBADF`,
		"full by slots": `
			resize w 8192 = 8192
			write w 4000 = 4000
			write w 100 = 100
			write w 4000 = EAGAIN
			poll w =
			write w 3996 = 3996
			read r 4000 = 4000
			poll w = OUT`,
		"small writes share a slot": `
			resize w 4096 = 4096
			write w 4095 = 4095
			poll w =
			write w 1 = 1
			write w 1 = EAGAIN`,
		"the rest beyond whole pages is merged first": `
			resize w 8192
			write w 10
			write w 4106 = 4106
			write w 1 = EAGAIN
			read r 9000 = 4116`,
		"a slot that was read in part is not merged beyond its page": `
			resize w 4096
			write w 4000
			read r 3999
			write w 96 = 96
			write w 1 = EAGAIN`,
		"a long write fills the pipe": `
			write w 100000 = 65536
			read r 100000 = 65536`,
		"sizes": `
			resize r 0 = 65536
			resize r 1 = 4096
			resize r 4097 = 8192
			resize r 1048576 = 1048576
			write w 12288
			resize w 8192 = EBUSY
			resize w 12288 = 16384
			resize w -1 = EINVAL
			eventfd e
			resize e 4096 = EBADF`,
		"from one pipe into another, slot by slot": `
			pipe r2 w2
			splice r w2 9 = EAGAIN
			write w2 4096
			write w 4096
			write w 10
			splice r w2 4100 = 4100
			read r2 9999 = 8196
			resize w2 4096
			write w 4090
			splice r w2 99 = 6
			splice r w2 9999 = EAGAIN
			read r 9999 = 4090
			close r2
			write w 1
			splice r w2 9 = EPIPE
			read r 1
			close w
			splice r w2 9 = EPIPE
			pipe r2 w2
			splice r w2 9 = 0`,
		"only a whole slot that is moved stays mergeable": `
			pipe r2 w2
			resize w2 4096
			write w 10
			splice r w2 10 = 10
			write w2 5 = 5
			read r2 99 = 15
			write w 10
			splice r w2 9 = 9
			write w2 5 = EAGAIN
			wait x = r:IN`,
		"wakes of the reader": `
			write w 1
			wait x = r:IN
			write w 1
			wait x = r:IN
			write w 65536 = 61440
			wait x = r:IN
			write w 1 = EAGAIN
			wait x = r:IN`,
		"the writer is woken if the pipe was full": `
			write w 65536
			add x w OUT|ET
			wait x = r:IN
			read r 100
			wait x =
			read r 4096
			wait x = w:OUT
			read r 4096
			wait x =
			resize w 65536
			wait x = w:OUT`,
		"closing wakes the other end": `
			add x w OUT|ET
			wait x = w:OUT
			close r
			wait x = w:OUT|ERR`,
	} {
		t.Run(name, func(t *testing.T) {
			play(t, New(Options{}), "epoll x\npipe r w\nadd x r IN|ET\n"+script)
		})
	}
}

// TestPipeKeepsOrder writes and reads through merged and partly read slots.
func TestPipeKeepsOrder(t *testing.T) {
	p := New(Options{}).Process("test")
	r, w, _ := p.Pipe()
	var sent, got []byte
	b := make([]byte, 6000)
	for i := range 200 {
		chunk := bytes.Repeat([]byte{byte(i)}, i*31%5000)
		n, _ := p.Write(w, chunk)
		sent = append(sent, chunk[:max(n, 0)]...)
		n, _ = p.Read(r, b[:i*57%6000])
		got = append(got, b[:max(n, 0)]...)
	}
	for n, e := p.Read(r, b); e == 0; n, e = p.Read(r, b) {
		got = append(got, b[:n]...)
	}
	if !bytes.Equal(sent, got) {
		t.Errorf("%d bytes were written, %d read, or they differ", len(sent), len(got))
	}
}
