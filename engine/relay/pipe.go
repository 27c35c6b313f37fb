package relay

import "golang.org/x/sys/unix"

// PipeSize is the capacity asked for: as much as an ordinary user may ask for
// (/proc/sys/fs/pipe-max-size). Pages are taken only for what waits in a pipe.
// Who has used up what /proc/sys/fs/pipe-user-pages-soft allows gets less, and
// copies then.
const PipeSize = 1 << 20

type pipe struct {
	r, w int32
	size int32
}

// pipes is a pool of pipes, addressed by number. It grows on demand up to its
// maximum: pipes live on what the file descriptor budget has left.
type pipes struct {
	all  []pipe
	free []int32
	max  int
}

func (p *pipes) open(maximum, now int) {
	p.max = maximum
	for range min(now, maximum) {
		if i := p.create(); i >= 0 {
			p.free = append(p.free, i)
		}
	}
}

// get returns the number of an empty pipe, or -1.
func (p *pipes) get() int32 {
	if n := len(p.free); n > 0 {
		i := p.free[n-1]
		p.free = p.free[:n-1]
		return i
	}
	return p.create()
}

func (p *pipes) create() int32 {
	if len(p.all) >= p.max {
		return -1
	}
	fresh, ok := newPipe()
	if !ok {
		// The next one would not be better, and asking for each costs.
		p.max = len(p.all)
		return -1
	}
	p.all = append(p.all, fresh)
	return int32(len(p.all) - 1)
}

// put takes back a pipe. One that still holds bytes is replaced, as there is
// no call that empties it.
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

// forget marks a number whose pipe could not be replaced: it is never lent
// again, and its place in the maximum is given to another.
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
	if err != nil || size < BufferSize { // then copying moves more with a call
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
