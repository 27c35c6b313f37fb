package relay

import "golang.org/x/sys/unix"

// PipeSize is the capacity in bytes that is requested for a pipe. It is the default of
// /proc/sys/fs/pipe-max-size, the most that a user without privileges may request. The kernel
// allocates pages only for bytes that are in a pipe. A user over the limit in
// /proc/sys/fs/pipe-user-pages-soft gets less, and then the flows copy.
const PipeSize = 1 << 20

type pipe struct {
	r, w int32 // descriptors; -1: closed, see forget
	size int32 // bytes
}

// pipes is a pool of pipes, addressed by number. It opens more pipes when needed, up to its
// maximum. The maximum comes from the descriptors that sessions do not need.
type pipes struct {
	all  []pipe
	free []int32 // numbers of pipes that are empty and not borrowed
	max  int     // largest length of all
}

// open sets the maximum and opens the first now pipes.
func (p *pipes) open(maximum, now int) {
	p.max = maximum
	for range min(now, maximum) {
		if i := p.create(); i >= 0 {
			p.free = append(p.free, i)
		}
	}
}

// get returns the number of an empty pipe, or -1 if there is none.
func (p *pipes) get() int32 {
	if n := len(p.free); n > 0 {
		i := p.free[n-1]
		p.free = p.free[:n-1]
		return i
	}
	return p.create()
}

// create opens a pipe and returns its number, or -1 if the maximum is reached or opening fails.
func (p *pipes) create() int32 {
	if len(p.all) >= p.max {
		return -1
	}
	fresh, ok := newPipe()
	if !ok {
		// The next attempt would most likely fail too, and each attempt costs system calls.
		p.max = len(p.all)
		return -1
	}
	p.all = append(p.all, fresh)
	return int32(len(p.all) - 1)
}

// put takes back a pipe. A dirty pipe still contains bytes and is replaced by a new one,
// because no system call empties a pipe.
func (p *pipes) put(i int32, dirty bool) {
	if dirty {
		p.all[i].close()
		fresh, ok := newPipe()
		if !ok {
			p.forget(i)
			return
		}
		p.all[i] = fresh
	}
	p.free = append(p.free, i)
}

// forget marks a number whose pipe could not be replaced. That number is never used again, and
// the maximum grows by one so that another pipe may be opened instead.
func (p *pipes) forget(i int32) {
	p.all[i] = pipe{r: -1, w: -1}
	p.max++
}

func (p *pipes) close() {
	for _, one := range p.all {
		one.close()
	}
	p.all, p.free = nil, nil
}

// newPipe opens a pipe. It returns false if opening fails, or if the pipe is smaller than
// BufferSize.
func newPipe() (pipe, bool) {
	var fds [2]int
	if unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC) != nil {
		return pipe{}, false
	}
	size, err := unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, PipeSize)
	if err != nil {
		size, err = unix.FcntlInt(uintptr(fds[1]), unix.F_GETPIPE_SZ, 0)
	}
	p := pipe{r: int32(fds[0]), w: int32(fds[1]), size: int32(size)}
	if err != nil || size < BufferSize { // copying moves more bytes per call than such a pipe
		p.close()
		return pipe{}, false
	}
	return p, true
}

func (p pipe) close() {
	if p.r >= 0 {
		_ = unix.Close(int(p.r))
		_ = unix.Close(int(p.w))
	}
}
