package kernel_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

// duel runs one sequence on the real kernel and on the model, and compares them after each step.
type duel struct {
	machine   *real
	kernel    *kernel.Kernel
	process   *kernel.Process
	real      *world
	model     *world
	open      []kind         // of the descriptors, by number; noKind: closed
	over      bool           // the rest of the sequence cannot be compared
	blind     bool           // see aBlind
	crowded   bool           // a connection was full
	active    int            // the descriptor of the last step
	spliced   bool           // the last step has spliced bytes into a TCP socket
	splicedTo map[int]bool   // the sockets that got bytes by a splice since the last wait
	binds     map[uint16]int // how many sockets were bound to a port
	dialed    bool           // there was a TCP connection
	hanging   bool           // a SYN was lost at a full accept queue
	tally     map[allowance]int
}

// kind is what a descriptor refers to, as far as the comparison must know.
type kind int

const (
	noKind kind = iota
	tcpKind
	unixKind
	epollKind
	pipeKind
	otherKind
)

// view is the state of one descriptor. A program can find it out without changing anything.
type view struct {
	poll     uint32
	unsent   int
	received uint64
	queued   uint32
	shaking  bool            // the handshake is not over
	errors   [2]kernel.Errno // of the last three
}

// patience is how long the real kernel may take to reach a state. It delays acknowledgements for
// 40 ms, and the last bytes behind MSG_MORE for 200 ms. The rest is for a busy machine.
const patience = 400 * time.Millisecond

// retryTime is the time after which a sequence ends in which a SYN was lost. Linux sends it again after
// a second.
const retryTime = 900 * time.Millisecond

// difference is what the comparison found.
type difference struct {
	at          int // number of the step
	real, model string
}

// play runs the sequence and closes all descriptors. It returns nil if the model allows all that
// the real kernel did.
func (d *duel) play(steps []step) (found *difference) {
	defer d.finish()
	begin := time.Now()
	for i, s := range steps {
		d.real.next, d.model.next = i, i
		found := d.step(s)
		if d.hanging && time.Since(begin) > retryTime {
			d.allow(retry)
			return nil
		}
		if found != nil {
			found.at = i
			return found
		}
		if d.over {
			break
		}
	}
	return nil
}

// step runs one step on both systems.
func (d *duel) step(s step) *difference {
	if d.beyond(s) {
		return nil
	}
	d.blind = d.blind || s.do == aBlind
	want := d.real.run(s)
	if d.over = d.connectedToItself(s); d.over {
		d.allow(self)
		return nil
	}
	d.active = max(0, d.real.fds[s.a])
	if s.do == aSplice {
		d.active = max(0, d.real.fds[s.b])
	}
	if d.spliced = s.do == aSplice && want.n > 0 && d.kindOf(s.b) == tcpKind; d.spliced {
		d.splicedTo[d.active] = true
	}
	d.settle(s)
	got := d.model.run(d.guide(s, want))
	if !d.allowed(s, want, got) {
		return &difference{real: want.String(), model: got.String()}
	}
	if d.over {
		return nil
	}
	d.note(s, want)
	return d.compare()
}

// beyond reports whether the model does not have what the step does: urgent data of UNIX sockets, epoll
// instances that watch each other, and TCP_NOTSENT_LOWAT for bytes that a reset has dropped.
func (d *duel) beyond(s step) bool {
	switch s.do {
	case aSend, aRecv:
		return s.flags&unix.MSG_OOB != 0 && d.kindOf(s.a) == unixKind
	case aAdd, aModify, aDelete:
		return d.kindOf(s.b) == epollKind
	case aOption:
		return s.flags == oLowWater && d.kindOf(s.a) == tcpKind && d.machine.isClosed(d.real.fds[s.a])
	}
	return false
}

// kindOf returns the kind of the descriptor in a slot.
func (d *duel) kindOf(slot int) kind {
	if fd := d.real.fds[slot]; fd >= 0 && fd < len(d.open) {
		return d.open[fd]
	}
	return noKind
}

// connectedToItself reports whether the step has connected a socket to itself.
func (d *duel) connectedToItself(s step) bool {
	if s.do != aConnect && s.do != aFastOpen || d.real.fds[s.a] < 0 {
		return false
	}
	own, _ := d.machine.Local(d.real.fds[s.a])
	return own.IP.Port() != 0 && own == d.real.at[s.b]
}

// note keeps the list of open descriptors.
func (d *duel) note(s step, o outcome) {
	if s.do == aConnect || s.do == aFastOpen {
		d.dialed = true
		d.hanging = d.hanging || d.real.fds[s.a] >= 0 && d.machine.connects(d.real.fds[s.a])
	}
	if o.e != 0 || o.n == skipped.n {
		return
	}
	switch s.do {
	case aSocket:
		d.opened(o.n, map[int]kind{unix.AF_UNIX: unixKind}[s.n])
	case aAccept, aDup:
		d.opened(o.n, d.open[d.real.fds[s.a]])
	case aEpoll:
		d.opened(o.n, epollKind)
	case aEventfd, aTimerfd:
		d.opened(o.n, otherKind)
	case aPipe:
		d.opened(o.n, pipeKind)
		d.opened(o.extra, pipeKind)
	case aClose:
		d.open[d.real.fds[s.a]] = noKind
	}
}

func (d *duel) opened(fd int, k kind) {
	for len(d.open) <= fd {
		d.open = append(d.open, noKind)
	}
	if k == noKind {
		k = tcpKind
	}
	d.open[fd] = k
}

// compare waits until the states of all descriptors are the same on both systems.
func (d *duel) compare() *difference {
	var found *difference
	for begin, tries := time.Now(), 0; tries == 0 || time.Since(begin) < patience; tries++ {
		if found = d.look(); found == nil {
			return nil
		}
		d.nudge(tries)
	}
	return found
}

// nudge lets the real kernel send what it has delayed, and waits for a moment.
func (d *duel) nudge(tries int) {
	for fd, k := range d.open {
		if k == tcpKind {
			d.machine.acknowledge(fd)
		}
	}
	if tries > 2 {
		_, _ = unix.Poll(nil, 1)
	}
}

// look compares the states of all descriptors now.
func (d *duel) look() *difference {
	d.release()
	d.thaw()
	d.loseError()
	for fd, k := range d.open {
		switch k {
		case noKind:
			continue
		case pipeKind:
			d.guidePipe(fd)
		case epollKind:
			d.announceSpace(fd)
		}
		want, got := d.view(d.machine, fd, k), d.view(d.process, fd, k)
		switch {
		case want.unsent == got.unsent:
		case k == unixKind && want.unsent > 0 && got.unsent > 0:
			d.allow(memory)
			want.unsent = got.unsent
		case got.unsent == 0 && d.machine.isDisconnected(fd):
			d.allow(disconnected)
			want.unsent = 0
			want.poll |= got.poll & unix.EPOLLOUT // TCP_NOTSENT_LOWAT looks at this number
		}
		if want != got {
			return &difference{
				real:  fmt.Sprintf("then descriptor %d: %v", fd, want),
				model: fmt.Sprintf("then descriptor %d: %v", fd, got),
			}
		}
	}
	return nil
}

// view returns the state of a descriptor. In a blind sequence it does not poll TCP sockets.
func (d *duel) view(s system, fd int, k kind) (v view) {
	if !d.blind || k != tcpKind && k != epollKind {
		v.poll = s.Poll(fd) & watched
	}
	switch k {
	case tcpKind:
		var info kernel.Info
		v.unsent, v.errors[0] = s.Unsent(fd)
		info, v.errors[1] = s.Info(fd)
		v.received, v.queued, v.shaking = info.Received, info.Queued, info.Handshaking
	case unixKind:
		v.unsent, v.errors[0] = s.Unsent(fd)
	}
	return v
}

// allowed reports whether the model may do what it did where the kernel did what it did.
func (d *duel) allowed(s step, want, got outcome) bool {
	if s.do == aUnsent && want.e == unix.EINVAL && got.e == unix.ENOTTY {
		d.allow(ioctl)
		return true
	}
	binds := s.do == aBindPort || s.do == aBindLike
	switch {
	case binds && want.e == 0 && got.e == unix.EADDRINUSE && d.binds[d.port(s.a)] > 1:
		d.allow(bucket)
		d.over = true
	case binds && want.e == unix.EADDRINUSE && got.e == 0 && d.dialed:
		d.allow(kept)
		d.over = true
	}
	if d.crowded && s.do == aWait && !reflect.DeepEqual(want, got) {
		d.allow(order)
		d.over = want.n == s.n // there may be more
		want.events, got.events = sorted(want.events), sorted(got.events)
	}
	if binds && want.e == 0 && want.n != skipped.n {
		d.binds[d.port(s.a)]++
	}
	return d.over || reflect.DeepEqual(want, got)
}

// sorted returns events in the order of their slots.
func sorted(events []unix.EpollEvent) []unix.EpollEvent {
	return slices.SortedFunc(slices.Values(events), func(a, b unix.EpollEvent) int {
		return cmp.Or(int(a.Fd-b.Fd), int(a.Pad-b.Pad))
	})
}

// port returns the port of the real socket in a slot.
func (d *duel) port(slot int) uint16 {
	own, _ := d.machine.Local(d.real.fds[slot])
	return own.IP.Port()
}

// finish closes all descriptors on both systems. The real kernel resets connections, so that none
// of them keeps its port.
func (d *duel) finish() {
	for fd, k := range d.open {
		if k == tcpKind {
			d.machine.SetOption(fd, unix.SOL_SOCKET, unix.SO_LINGER, 0)
		}
		if k != noKind {
			d.machine.Close(fd)
		}
	}
}
