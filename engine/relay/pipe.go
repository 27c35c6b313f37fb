package relay

import "sluice/engine/sock"

type pipe struct {
	r, w int32 // descriptors; -1: closed
	size int32 // bytes
}

// closedPipe is a pipe that is not open.
var closedPipe = pipe{r: -1, w: -1}

// pipes is a pool of pipes, addressed by number. It opens more pipes when needed, up to its
// maximum. The maximum comes from the descriptors that sessions do not need.
type pipes struct {
	sizes  Sizes
	all    []pipe
	free   []int32 // numbers of pipes that are empty and not borrowed
	unused []int32 // numbers of closed pipes
	count  int     // number of open pipes
	max    int     // maximum of count; count may exceed it until borrowed pipes are returned
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

// limit changes the maximum. It closes free pipes above the maximum at once. put closes the borrowed
// ones when they are returned.
func (p *pipes) limit(maximum int) {
	p.max = maximum
	for n := len(p.free); n > 0 && p.count > p.max; n-- {
		i := p.free[n-1]
		p.free = p.free[:n-1]
		p.drop(i)
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
	if p.count >= p.max {
		return -1
	}
	fresh, ok := newPipe(&p.sizes)
	if !ok {
		// The next attempt would most likely fail too, and each attempt costs system calls.
		p.max = p.count
		return -1
	}
	p.count++
	if n := len(p.unused); n > 0 {
		i := p.unused[n-1]
		p.unused = p.unused[:n-1]
		p.all[i] = fresh
		return i
	}
	p.all = append(p.all, fresh)
	return int32(len(p.all) - 1)
}

// put takes back a pipe. A dirty pipe still contains bytes and is replaced by a new one,
// because no system call empties a pipe. A pipe above the maximum is closed.
func (p *pipes) put(i int32, dirty bool) {
	switch {
	case p.count > p.max:
		p.drop(i)
	case !dirty || p.renew(i):
		p.free = append(p.free, i)
	}
}

// renew replaces a pipe by a new one. If opening fails, it drops the pipe and returns false.
func (p *pipes) renew(i int32) bool {
	p.all[i].close()
	fresh, ok := newPipe(&p.sizes)
	p.all[i] = fresh
	if !ok {
		p.drop(i)
	}
	return ok
}

// drop closes a pipe that is not in free, and makes its number free for another pipe.
func (p *pipes) drop(i int32) {
	p.all[i].close()
	p.all[i] = closedPipe
	p.unused = append(p.unused, i)
	p.count--
}

func (p *pipes) close() {
	for _, one := range p.all {
		one.close()
	}
	*p = pipes{}
}

// newPipe opens a pipe. It returns false if opening fails, or if the pipe is smaller than the
// loop's buffer.
func newPipe(sizes *Sizes) (pipe, bool) {
	r, w, e := sock.Pipe()
	if e != 0 {
		return closedPipe, false
	}
	size, e := sock.ResizePipe(w, sizes.Pipe)
	if e != 0 {
		size, e = sock.PipeSize(w)
	}
	p := pipe{r: int32(r), w: int32(w), size: int32(size)}
	if e != 0 || size < sizes.Buffer { // copying moves more bytes per call than such a pipe
		p.close()
		return closedPipe, false
	}
	return p, true
}

func (p pipe) close() {
	if p.r >= 0 {
		sock.Close(int(p.r))
		sock.Close(int(p.w))
	}
}
