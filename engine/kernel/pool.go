package kernel

import "math/bits"

// pool contains buffers that are not in use. Element i contains those of capacity 1<<i bytes.
type pool [32][][]byte

// smallest is the binary logarithm of the smallest capacity: 64 bytes.
const smallest = 6

// get returns a buffer of n bytes with any content. Its capacity is a power of two.
func (p *pool) get(n int) []byte {
	class := max(smallest, bits.Len(uint(n-1)))
	free := p[class]
	if len(free) == 0 {
		return make([]byte, n, 1<<class)
	}
	b := free[len(free)-1]
	p[class] = free[:len(free)-1]
	return b[:n]
}

// put takes back a buffer that get has returned. nil is allowed.
func (p *pool) put(b []byte) {
	if b != nil {
		class := bits.Len(uint(cap(b) - 1))
		p[class] = append(p[class], b)
	}
}

// ring is a queue of bytes that were written to a socket and have not reached the peer.
type ring struct {
	b    []byte // the memory; its length is 0 or a power of two
	head int    // index of the first byte
	n    int    // number of bytes in the queue
}

// push appends bytes.
func (r *ring) push(p *pool, b []byte) {
	if r.n+len(b) > len(r.b) {
		r.grow(p, r.n+len(b))
	}
	tail := (r.head + r.n) & (len(r.b) - 1)
	copied := copy(r.b[tail:], b)
	copy(r.b, b[copied:])
	r.n += len(b)
}

// grow enlarges the memory, so that the queue can contain n bytes in total.
func (r *ring) grow(p *pool, n int) {
	b := p.get(n)
	b = b[:cap(b)]
	r.copy(b[:r.n])
	p.put(r.b)
	r.b, r.head = b, 0
}

// copy copies the first len(to) bytes. The queue must contain that many.
func (r *ring) copy(to []byte) {
	copied := copy(to, r.b[r.head:])
	copy(to[copied:], r.b)
}

// at returns the byte after the first skip bytes.
func (r *ring) at(skip int) byte { return r.b[(r.head+skip)&(len(r.b)-1)] }

// drop removes the first n bytes.
func (r *ring) drop(n int) {
	r.n -= n
	if r.n > 0 {
		r.head = (r.head + n) & (len(r.b) - 1)
	} else {
		r.head = 0
	}
}

// cut removes all bytes except the first n.
func (r *ring) cut(n int) { r.n = min(r.n, n) }

// free removes all bytes and gives the memory back.
func (r *ring) free(p *pool) {
	p.put(r.b)
	*r = ring{}
}
