package kernel

// chunk is one piece of received bytes: a buffer of Linux (sk_buff).
type chunk struct {
	b      []byte // all bytes that arrived, read or not
	off    int    // number of bytes at the start that were read
	shared bool   // a pipe uses the same memory, so the memory must not be reused
}

func (c *chunk) rest() []byte { return c.b[c.off:] }

// inbox is the receive queue of a socket.
type inbox struct {
	chunks []chunk // in the order of arrival; those before index first are not in use
	first  int
	n      int // number of unread bytes
}

// add appends n bytes to the queue and returns their memory, which the caller fills. With join, the
// bytes become a part of the last chunk if its capacity allows; otherwise they are a new chunk.
func (q *inbox) add(p *pool, n int, join bool) []byte {
	q.n += n
	if join && q.first < len(q.chunks) {
		last := &q.chunks[len(q.chunks)-1]
		if size := len(last.b); size+n <= cap(last.b) {
			last.b = last.b[:size+n]
			return last.b[size:]
		}
	}
	b := p.get(n)
	q.chunks = append(q.chunks, chunk{b: b})
	return b
}

// copy copies unread bytes to b, beginning after the first skip ones, and returns the number of
// copied bytes.
func (q *inbox) copy(b []byte, skip int) int {
	n := 0
	for i := q.first; i < len(q.chunks) && n < len(b); i++ {
		rest := q.chunks[i].rest()
		passed := min(skip, len(rest))
		skip -= passed
		n += copy(b[n:], rest[passed:])
	}
	return n
}

// drop removes the first n bytes. It returns the total size in bytes of the chunks that were
// removed because they are read to their end.
func (q *inbox) drop(p *pool, n int) (gone int) {
	q.n -= n
	for n > 0 {
		c := &q.chunks[q.first]
		taken := min(n, len(c.b)-c.off)
		n -= taken
		if c.off += taken; c.off == len(c.b) {
			gone += len(c.b)
			q.shift(p)
		}
	}
	return gone
}

// shift removes the first chunk.
func (q *inbox) shift(p *pool) {
	c := &q.chunks[q.first]
	if !c.shared {
		p.put(c.b)
	}
	*c = chunk{}
	if q.first++; q.first == len(q.chunks) {
		q.chunks, q.first = q.chunks[:0], 0
	}
}

// pieces appends up to n unread bytes to list, without copying them. Each element has at most size
// bytes, and list gets at most slots elements. pieces returns the list and the number of bytes. The
// memory is shared from then on.
func (q *inbox) pieces(list [][]byte, n, slots, size int) ([][]byte, int) {
	total := 0
	for i := q.first; i < len(q.chunks) && total < n && len(list) < slots; i++ {
		c := &q.chunks[i]
		for off := c.off; off < len(c.b) && total < n && len(list) < slots; {
			end := min(len(c.b), off+size-off%size, off+n-total)
			list = append(list, c.b[off:end:end])
			total += end - off
			off = end
			c.shared = true
		}
	}
	return list, total
}

// free removes all bytes and gives the memory back. It returns the total size of the chunks in
// bytes.
func (q *inbox) free(p *pool) (gone int) {
	for q.first < len(q.chunks) {
		gone += len(q.chunks[q.first].b)
		q.shift(p)
	}
	*q = inbox{}
	return gone
}
