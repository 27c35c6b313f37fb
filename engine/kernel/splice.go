package kernel

import (
	"math/bits"

	"golang.org/x/sys/unix"
)

// spliceable is the part of a stream socket that Splice needs.
type spliceable interface {
	file
	// spliceOut removes up to n of the received bytes, as a read does. It returns them as Linux's
	// fragments, at most slots of them: each takes one slot of a pipe. The pipe keeps the pieces,
	// so nobody else may write to them. EAGAIN means that there are no bytes now; no pieces without
	// an error are the end of the stream.
	spliceOut(n, slots int) (pieces [][]byte, e Errno)
	// spliceIn sends b as send does, and returns how many bytes the socket has taken.
	spliceIn(b []byte) (int, Errno)
}

// Splice moves up to n bytes (splice(2) with SPLICE_F_NONBLOCK) from a socket into a pipe, from a
// pipe into a socket, or between pipes. 0 without an error is the end of the stream.
//
// EAGAIN means that the source has no bytes, or that the target takes none: a pipe takes none when
// all its slots are in use. EINVAL: neither is a pipe, both are the same pipe, or one is no stream
// socket. EBADF: the wrong end of a pipe. Errors of the socket are those of reading and sending. If
// an error follows after bytes were moved, Splice returns their number without an error. A socket
// that is the target then loses its error.
func (p *Process) Splice(from, to, n int) (int, Errno) {
	moved, e := p.splice(from, to, n)
	p.tell(Result{Call: CallSplice, Fd: from, To: to, N: moved, Errno: e})
	if p.traced() {
		p.trace("%s %d %d (%d) = %s", CallSplice, from, to, n, outcome(moved, e))
	}
	return moved, e
}

func (p *Process) splice(from, to, n int) (int, Errno) {
	if n == 0 {
		return 0, 0
	}
	source, e1 := p.get(CallSplice, from)
	target, e2 := p.get(CallSplice, to)
	_, unreadable := source.(*writeEnd)
	_, unwritable := target.(*readEnd)
	if e1 != 0 || e2 != 0 || unreadable || unwritable {
		return -1, unix.EBADF
	}
	reading, fromPipe := source.(*readEnd)
	writing, toPipe := target.(*writeEnd)
	switch {
	case n < 0 || !fromPipe && !toPipe || fromPipe && toPipe && reading.pipe == writing.pipe:
		return -1, unix.EINVAL
	case fromPipe && toPipe:
		return reading.pipe.moveTo(writing.pipe, n)
	case toPipe:
		return p.fill(writing.pipe, source, n)
	}
	return p.drain(reading.pipe, target, n)
}

// fill moves up to n bytes from a socket into a pipe (splice_file_to_pipe). Each fragment of the
// socket's bytes takes a slot.
func (p *Process) fill(to *pipe, source file, n int) (int, Errno) {
	if e := to.mayTake(); e != 0 {
		return -1, e
	}
	from, ok := source.(spliceable)
	if !ok {
		return -1, unix.EINVAL
	}
	if e := p.faultOn(CallSplice, from, unix.EPOLLIN); e != 0 {
		return -1, e
	}
	free := to.limit - len(to.slots)
	pieces, e := from.spliceOut(min(n, free*pageSize), p.fragments(free))
	if e != 0 {
		return -1, e
	}
	moved := 0
	for _, b := range pieces {
		to.slots = append(to.slots, slot{page: b})
		moved += len(b)
	}
	if moved > 0 {
		to.out.wake(0)
	}
	p.kernel.settle()
	return moved, 0
}

// drain moves up to n bytes from a pipe into a socket (splice_to_socket). Like Linux, it repeats
// the sending until the socket takes nothing more. So an error of the socket is lost if bytes were
// moved before.
func (p *Process) drain(from *pipe, target file, n int) (int, Errno) {
	to, ok := target.(spliceable)
	if !ok {
		return -1, unix.EINVAL
	}
	if e := p.faultOn(CallSplice, to, unix.EPOLLOUT); e != 0 {
		return -1, e
	}
	if len(from.slots) == 0 {
		return from.nothing()
	}
	moved, e := p.kernel.sendSlots(from, to, n, p.fragments(len(from.slots)))
	if from.drop() {
		from.in.wake(0)
	}
	p.kernel.settle()
	if moved == 0 && e != 0 {
		return -1, e
	}
	return moved, 0
}

// moveTo moves up to n bytes into another pipe, slot by slot (splice_pipe_to_pipe).
func (p *pipe) moveTo(to *pipe, n int) (int, Errno) {
	if len(p.slots) == 0 && p.in.open > 0 {
		return -1, unix.EAGAIN
	}
	if e := to.mayTake(); e != 0 {
		return -1, e
	}
	moved := 0
	for i := 0; i < len(p.slots) && moved < n && !to.full(); i++ {
		from := &p.slots[i]
		taken := *from
		if part := n - moved; part < len(from.page)-from.off {
			taken.page, taken.mergeable = taken.page[:from.off+part], false
		}
		from.off = len(taken.page)
		moved += len(taken.page) - taken.off
		to.slots = append(to.slots, taken)
	}
	if moved > 0 {
		to.out.wake(0)
	}
	if p.drop() {
		p.in.wake(0)
	}
	return moved, 0
}

// sendSlots sends up to n bytes of the first slots to a socket. It stops when the socket takes
// nothing.
//
// Linux sends up to sentAtOnce slots with one call of the socket, and repeats the call. Between two
// calls the network may change the socket. Here a step of the network happens with the probability
// ShortSplice: it may free space, or deliver a RST.
func (k *Kernel) sendSlots(p *pipe, to spliceable, n, slots int) (moved int, e Errno) {
	for i := 0; i < slots && moved < n; {
		one := &p.slots[i]
		left := one.page[one.off:]
		taken, e := to.spliceIn(left[:min(len(left), n-moved)])
		if e != 0 || taken == 0 {
			return moved, e
		}
		one.off += taken
		moved += taken
		whole := taken == len(left)
		if whole {
			i++
		}
		if (!whole || i%sentAtOnce == 0) && k.chance(k.ShortSplice) {
			k.Step()
		}
	}
	return moved, 0
}

// sentAtOnce is the number of slots that splice_to_socket sends with one call.
const sentAtOnce = 16

// largestFragment is the maximum number of bytes that Linux keeps in one fragment of a socket's
// bytes: 8 pages (SKB_FRAG_PAGE_ORDER). One slot of a pipe can contain such a fragment.
const largestFragment = 8 * pageSize

// fragment returns the maximum size in bytes of the fragments of one splice: often largestFragment,
// otherwise a random size. Small segments and a shortage of memory make fragments small on Linux,
// too.
func (k *Kernel) fragment() int {
	if k.coin() {
		return largestFragment
	}
	magnitude := k.Rand.IntN(bits.Len(largestFragment))
	return 1 + k.Rand.IntN(1<<magnitude)
}

// fragments returns how many of up to n fragments a splice moves: all, or fewer with the
// probability ShortSplice.
func (p *Process) fragments(n int) int {
	if p.kernel.chance(p.kernel.ShortSplice) {
		return 1 + p.kernel.Rand.IntN(n)
	}
	return n
}
