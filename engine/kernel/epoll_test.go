package kernel

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"
)

func TestEpoll(t *testing.T) {
	for name, script := range map[string]string{
		"edge-triggered: one report for each wake": `
			wait x =
			write w 1
			wait x = r:IN
			wait x =
			write w 1
			write w 1
			wait x = r:IN
			wait x =`,
		"level-triggered: reported while the event is present": `
			mod x r IN
			write w 1
			wait x = r:IN
			wait x = r:IN
			read r 9 = 1
			ready x = false
			wait x =`,
		"a stale event is dropped": `
			write w 1
			ready x = true
			read r 1
			wait x =`,
		"add reports what is present": `
			write w 1
			del x r
			wait x =
			add x r IN|ET
			wait x = r:IN
			wait x =`,
		"mod reports once more what was reported": `
			write w 1
			wait x = r:IN
			mod x r IN|ET
			wait x = r:IN
			wait x =`,
		"errors of control": `
			add x r IN = EEXIST
			mod x w IN = ENOENT
			del x w = ENOENT
			add r w IN = EINVAL
			add x x IN = EINVAL
			epoll y
			mod x y IN = ENOENT
			add x y IN = EPERM`,
		"wait needs space": `
			wait x 0 = EINVAL
			wait r = EINVAL`,
		"a wake without a wanted event is ignored": `
			add x w IN|ET
			write w 65536
			wait x = r:IN
			read r 4096
			wait x =`,
		"errors and hang-ups are always wanted": `
			mod x r ET
			add x w ET
			close w
			wait x = r:HUP`,
		"one-shot: disabled until mod": `
			mod x r IN|ONESHOT
			write w 1
			wait x = r:IN
			write w 1
			close w
			wait x =
			mod x r IN|ONESHOT
			wait x = r:IN|HUP`,
		"events come in the order of the wakes": `
			eventfd e
			add x e IN
			write w 1
			write e #1
			wait x = r:IN e:IN
			write e #1
			write w 1
			wait x = e:IN r:IN`,
		"files beyond the space stay ready, level-triggered ones go to the end": `
			eventfd a
			eventfd b
			add x a IN
			add x b IN
			write a #1
			write b #1
			write w 1
			wait x 2 = a:IN b:IN
			wait x 2 = r:IN a:IN
			wait x 2 = b:IN a:IN`,
		"the last close removes a registration": `
			write w 1
			close r
			wait x =`,
		"a duplicate keeps a registration whose descriptor is closed": `
			dup r r2
			close r
			write w 1
			wait x = r:IN
			close r2
			wait x =`,
		"a duplicate has a registration of its own, and is woken first": `
			dup r r2
			add x r2 IN|ET
			write w 1
			wait x = r2:IN r:IN
			del x r2
			write w 1
			wait x = r:IN`,
		"two instances for one file": `
			epoll y
			add y r IN|ET
			write w 1
			wait y = r:IN
			wait x = r:IN
			close y
			write w 1
			wait x = r:IN`,
		"a reused descriptor has no registration": `
			close r
			eventfd e
			mod x e IN = ENOENT
			add x e OUT
			wait x = e:OUT`,
		"an instance and descriptors that are not its own": `
			poll x =
			write w 1
			poll x = IN
			read x 8 = EINVAL
			write x 8 = EINVAL`,
	} {
		t.Run(name, func(t *testing.T) {
			play(t, New(Options{}), "epoll x\npipe r w\nadd x r IN|ET\n"+script)
		})
	}
}

// TestEpollReturnsData checks that the data of a registration come back unchanged.
func TestEpollReturnsData(t *testing.T) {
	p := New(Options{}).Process("test")
	ep, _ := p.Epoll()
	fd, _ := p.Eventfd()
	p.Control(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLOUT, Fd: -7, Pad: 9})
	var got [1]unix.EpollEvent
	n, e := p.Wait(ep, got[:])
	if want := (unix.EpollEvent{Events: unix.EPOLLOUT, Fd: -7, Pad: 9}); n != 1 || e != 0 || got[0] != want {
		t.Errorf("Wait: %d %v %+v", n, e, got)
	}
}

// TestSpurious checks that repeated and delayed events lose nothing: each batch has an event while one
// is present, and each file is reported.
func TestSpurious(t *testing.T) {
	k := New(Options{Seed: 1, Spurious: 300})
	p := k.Process("test")
	ep, _ := p.Epoll()
	const files = 10
	for i := range int32(files) {
		fd, _ := p.Eventfd()
		p.Control(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLET, Fd: i})
	}
	var got [files * 2]unix.EpollEvent
	reports := [files]int{}
	batches, all := 0, 0
	for p.Ready(ep) {
		n, _ := p.Wait(ep, got[:])
		for _, ev := range got[:n] {
			reports[ev.Fd]++
			all++
		}
		if batches++; n == 0 || batches > 100 {
			t.Fatalf("batch %d has %d events", batches, n)
		}
	}
	for i, n := range reports {
		if n == 0 {
			t.Errorf("file %d was never reported", i)
		}
	}
	if batches < 2 || all == files {
		t.Errorf("%d events in %d batches: nothing was repeated or delayed", all, batches)
	}
}

func BenchmarkWait(b *testing.B) {
	p := New(Options{}).Process("test")
	ep, _ := p.Epoll()
	fds := [8]int{}
	for i := range fds {
		fds[i], _ = p.Eventfd()
		p.Control(ep, unix.EPOLL_CTL_ADD, fds[i], &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(i)})
	}
	var got [8]unix.EpollEvent
	counter := [8]byte{1}
	r := rand.New(rand.NewPCG(1, 1))
	b.ReportAllocs()
	for b.Loop() {
		p.Write(fds[r.IntN(8)], counter[:])
		if n, _ := p.Wait(ep, got[:]); n != 1 {
			b.Fatal(n)
		}
	}
}
