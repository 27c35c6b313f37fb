package reactor

import (
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// A wait shorter than drowsy is a short wait. After manyNaps short waits in a row the loop is busy.
// It stops being busy with the first wait that is not short.
const (
	manyNaps = 32
	drowsy   = 5 * time.Millisecond
)

// next waits for events and returns their number. It does not wait if sockets have a turn.
//
// After each batch, gnet's Polling asks for events without waiting, yields, and asks again. If
// a processor is free, the yield moves the loop to another thread. If none is free, the monitor
// of the Go runtime takes the loop's processor away every 20 microseconds. Waiting at once
// avoids both (see ARCHITECTURE.md).
//
// A busy loop first waits in a system call of which the Go runtime is not informed, for at most
// drowsy. If no event comes, the loop waits in an ordinary system call, and the runtime can take
// the loop's processor. With ordinary calls only, the runtime's monitor would wake every 20
// microseconds to watch them. This costs a twentieth of the CPU time (see ARCHITECTURE.md). The
// runtime can still stop a busy loop, because its signal ends the wait. Without a spare processor
// the loop uses ordinary calls only, because other goroutines need its processor.
func (r *Reactor) next() (int, sock.Errno) {
	switch {
	case r.more:
		return woken(sock.EpollWait(r.epoll, r.events, 0))
	case r.spare && r.naps >= manyNaps:
		n, e := sock.EpollWait(r.epoll, r.events, int(drowsy.Milliseconds()))
		if n > 0 || e != 0 {
			return woken(n, e)
		}
		r.naps = 0
	}
	asleep := time.Now()
	n, e := sock.EpollSleep(r.epoll, r.events)
	if r.naps++; time.Since(asleep) >= drowsy {
		r.naps = 0
	}
	return woken(n, e)
}

// woken returns 0 events and no error for a wait that a signal has ended, and other results
// unchanged.
func woken(n int, e sock.Errno) (int, sock.Errno) {
	if e == unix.EINTR {
		return 0, 0
	}
	return n, e
}
