package relay

import "sluice/engine/sock"

type pipe struct {
	r, w int32 // descriptors; -1: closed, see forget
	size int32 // bytes
}

// pipes is a pool of pipes, addressed by number. It opens more pipes when needed, up to its
// maximum. The maximum comes from the descriptors that sessions do not need.
type pipes struct {
	sizes Sizes
	all   []pipe
	free  []int32 // numbers of pipes that are empty and not borrowed
	max   int     // largest length of all
}

// open sets the maximum and opens the first now pipes.
func (p *pipes) open(sizes Sizes, maximum, now int) {
	p.sizes, p.max = sizes, maximum
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
	fresh, ok := newPipe(&p.sizes)
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
		fresh, ok := newPipe(&p.sizes)
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

// newPipe opens a pipe. It returns false if opening fails, or if the pipe is smaller than the
// loop's buffer.
func newPipe(sizes *Sizes) (pipe, bool) {
	r, w, e := sock.Pipe()
	if e != 0 {
		return pipe{}, false
	}
	size, e := sock.ResizePipe(w, sizes.Pipe)
	if e != 0 {
		size, e = sock.PipeSize(w)
	}
	p := pipe{r: int32(r), w: int32(w), size: int32(size)}
	if e != 0 || size < sizes.Buffer { // copying moves more bytes per call than such a pipe
		p.close()
		return pipe{}, false
	}
	return p, true
}

func (p pipe) close() {
	if p.r >= 0 {
		sock.Close(int(p.r))
		sock.Close(int(p.w))
	}
}
