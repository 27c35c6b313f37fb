package kernel

import (
	"math/bits"
	"slices"

	"golang.org/x/sys/unix"
)

const (
	pageSize     = 4096 // bytes; the most that a write puts into one slot of a pipe
	usualSlots   = 16   // slots of a new pipe: 64 KiB
	mostPipeSize = 1 << 31
)

// pipe is a list of slots between two files (pipe(7)). It is full when all slots are in use, however
// few bytes they contain. It has the semantics of the kernel's fs/pipe.c.
type pipe struct {
	slots []slot // slots in use, oldest first
	limit int    // maximum number of slots
	out   readEnd
	in    writeEnd
}

// slot contains up to a page of written bytes, or one fragment of a socket, see largestFragment.
type slot struct {
	page      []byte // all bytes that were put in
	off       int    // number of bytes of page that were taken out
	mergeable bool   // a write has made the slot, so the next write may append to it
}

// readEnd is the file that bytes are read from.
type readEnd struct {
	references
	pipe *pipe
}

// writeEnd is the file that bytes are written to.
type writeEnd struct {
	references
	pipe *pipe
}

// Pipe opens a non-blocking pipe of 16 slots (pipe2(2)). r is the descriptor of its reading end, w
// that of its writing end. Both are -1 with an error: EMFILE means that the process has no two free
// descriptors.
func (p *Process) Pipe() (r, w int, e Errno) {
	if r, w, e = p.pipe(); e != 0 {
		r, w = -1, -1
	}
	p.tell(Result{Call: CallPipe, Fd: r, To: w, Errno: e})
	if p.traced() {
		p.trace("%s = %s %s", CallPipe, outcome(r, e), outcome(w, e))
	}
	return r, w, e
}

func (p *Process) pipe() (r, w int, e Errno) {
	if e := p.fault(CallPipe); e != 0 {
		return -1, -1, e
	}
	if !p.room(2) {
		return -1, -1, unix.EMFILE
	}
	made := &pipe{limit: usualSlots}
	made.out.pipe, made.in.pipe = made, made
	r, _ = p.install(&made.out)
	w, _ = p.install(&made.in)
	return r, w, 0
}

// PipeSize changes the capacity of a pipe to at least size bytes and returns the new one (F_SETPIPE_SZ
// of fcntl(2)). The capacity is a power of two of pages; each page is one slot. EBUSY means that more
// slots are in use. With size 0, PipeSize returns the capacity and changes nothing (F_GETPIPE_SZ).
func (p *Process) PipeSize(fd, size int) (int, Errno) {
	n, e := p.pipeSize(fd, size)
	p.report(CallPipeSize, fd, size, n, e)
	return n, e
}

func (p *Process) pipeSize(fd, size int) (int, Errno) {
	f, e := p.get(CallPipeSize, fd)
	if e != 0 {
		return -1, e
	}
	if e := p.fault(CallPipeSize); e != 0 {
		return -1, e
	}
	one := pipeOf(f)
	switch {
	case one == nil:
		return -1, unix.EBADF
	case size < 0 || size > mostPipeSize:
		return -1, unix.EINVAL
	case size > 0:
		if e := one.resize(max(size, pageSize)); e != 0 {
			return -1, e
		}
	}
	return one.limit * pageSize, 0
}

// pipeOf returns the pipe of a file, or nil.
func pipeOf(f file) *pipe {
	switch f := f.(type) {
	case *readEnd:
		return f.pipe
	case *writeEnd:
		return f.pipe
	}
	return nil
}

// resize changes the number of slots (pipe_set_size). size is at least a page.
func (p *pipe) resize(size int) Errno {
	slots := 1 << bits.Len(uint(size-1)) / pageSize
	if slots < len(p.slots) {
		return unix.EBUSY
	}
	p.limit = slots
	p.in.wake(0)
	return 0
}

func (p *pipe) full() bool { return len(p.slots) >= p.limit }

// poll is the part of pipe_poll for the reading end.
func (r *readEnd) poll() (events uint32) {
	if len(r.pipe.slots) > 0 {
		events |= unix.EPOLLIN
	}
	if r.pipe.in.open == 0 {
		events |= unix.EPOLLHUP
	}
	return events
}

// poll is the part of pipe_poll for the writing end.
func (w *writeEnd) poll() (events uint32) {
	if !w.pipe.full() {
		events |= unix.EPOLLOUT
	}
	if w.pipe.out.open == 0 {
		events |= unix.EPOLLERR
	}
	return events
}

func (r *readEnd) release()  { r.pipe.in.wake(0) }
func (w *writeEnd) release() { w.pipe.out.wake(0) }

func (r *readEnd) write([]byte) (int, Errno) { return -1, unix.EBADF }
func (w *writeEnd) read([]byte) (int, Errno) { return -1, unix.EBADF }

// read takes bytes out of the oldest slots (pipe_read).
func (r *readEnd) read(b []byte) (int, Errno) {
	if len(b) == 0 {
		return 0, 0
	}
	p, n := r.pipe, 0
	for i := 0; i < len(p.slots) && n < len(b); i++ {
		s := &p.slots[i]
		moved := copy(b[n:], s.page[s.off:])
		s.off += moved
		n += moved
	}
	if n == 0 {
		return p.nothing()
	}
	if wasFull := p.full(); p.drop() && wasFull {
		p.in.wake(unix.EPOLLOUT)
	}
	return n, 0
}

// nothing returns the result of reading from an empty pipe: the end of the stream if no writing end
// is open, else EAGAIN.
func (p *pipe) nothing() (int, Errno) {
	if p.in.open == 0 {
		return 0, 0
	}
	return -1, unix.EAGAIN
}

// mayTake returns the error of moving bytes into the pipe now: EPIPE without an open reading end,
// EAGAIN if no slot is free. 0: a slot is free.
func (p *pipe) mayTake() Errno {
	switch {
	case p.out.open == 0:
		return unix.EPIPE
	case p.full():
		return unix.EAGAIN
	}
	return 0
}

// drop frees the slots that are empty. It reports whether there were any.
func (p *pipe) drop() bool {
	n := 0
	for n < len(p.slots) && p.slots[n].off == len(p.slots[n].page) {
		n++
	}
	p.slots = slices.Delete(p.slots, 0, n)
	return n > 0
}

// write puts bytes into new slots (pipe_write). The remainder of len(b) after whole pages is first
// appended to the last slot, if it fits there and a write has made that slot.
//
// The reader is woken even if the pipe is full and nothing was written, as Linux does for epoll.
func (w *writeEnd) write(b []byte) (int, Errno) {
	if len(b) == 0 {
		return 0, 0
	}
	p := w.pipe
	defer p.out.wake(unix.EPOLLIN)
	if p.out.open == 0 {
		return -1, unix.EPIPE
	}
	n := p.merge(b[:len(b)%pageSize])
	for n < len(b) && !p.full() {
		piece := append(make([]byte, 0, pageSize), b[n:min(n+pageSize, len(b))]...)
		p.slots = append(p.slots, slot{page: piece, mergeable: true})
		n += len(piece)
	}
	if n == 0 {
		return -1, unix.EAGAIN
	}
	return n, 0
}

// merge appends b to the last slot and returns len(b), or 0 if it does not fit there.
func (p *pipe) merge(b []byte) int {
	last := len(p.slots) - 1
	if last < 0 || !p.slots[last].mergeable || len(p.slots[last].page)+len(b) > pageSize {
		return 0
	}
	p.slots[last].page = append(p.slots[last].page, b...)
	return len(b)
}
