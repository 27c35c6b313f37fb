package access

import (
	"encoding/binary"
	"slices"
	"sync/atomic"
	"time"
)

// ringSize is the size of a ring in bytes: the most that a loop may be ahead of the collector. It
// must be a power of two.
const ringSize = 256 << 10

// frameHeader is the size of the header before each line in a ring: length, route, level and the
// time of sending in nanoseconds since 1970.
const frameHeader = 4 + 2 + 1 + 8

// Sink is the ring in which a loop stores its log lines. The loop is the only writer and the
// collector is the only reader. The ring is allocated for the first line.
type Sink struct {
	log   *Log
	ring  []byte // the loop allocates it before it first changes tail; the collector reads it only after that
	_     [64]byte
	tail  atomic.Uint64 // bytes written since the start; changed by the loop
	drops drops
	_     [64]byte
	head  atomic.Uint64 // bytes read since the start; changed by the collector
}

// Send sends a line, without newline, to the targets of a route. Only the loop that owns the sink
// may call it. Send never blocks and takes no lock. It drops the line if the ring is full. It
// copies the line, and allocates memory only in the first call.
func (s *Sink) Send(to Route, lv Level, line []byte) {
	if to == None {
		return
	}
	if s.log.tap != nil {
		s.log.tap(to, lv, line)
		return
	}
	if s.ring == nil {
		s.ring = make([]byte, ringSize)
	}
	tail := s.tail.Load()
	if tail-s.head.Load()+uint64(frameHeader+len(line)) > ringSize {
		s.drops.add(1)
		return
	}
	var h [frameHeader]byte
	binary.LittleEndian.PutUint32(h[:], uint32(len(line)))
	binary.LittleEndian.PutUint16(h[4:], uint16(to))
	h[6] = byte(lv)
	binary.LittleEndian.PutUint64(h[7:], uint64(time.Now().UnixNano()))
	s.put(tail, h[:])
	s.put(tail+frameHeader, line)
	s.tail.Store(tail + uint64(frameHeader+len(line)))
	s.log.rouse()
}

// put copies p into the ring. pos counts bytes since the start.
func (s *Sink) put(pos uint64, p []byte) {
	n := copy(s.ring[pos&(ringSize-1):], p)
	copy(s.ring, p[n:])
}

// get copies bytes out of the ring into p. pos counts bytes since the start.
func (s *Sink) get(p []byte, pos uint64) {
	n := copy(p, s.ring[pos&(ringSize-1):])
	copy(p[n:], s.ring)
}

// pending reports whether the ring contains a line.
func (s *Sink) pending() bool { return s.head.Load() != s.tail.Load() }

// frame is a line that the collector has read from a ring.
type frame struct {
	to    Route
	level Level
	at    time.Time
	line  []byte // overwritten by the next line
}

// next reads the oldest line into f. Only the collector may call it, and only if pending is true.
func (s *Sink) next(f *frame) {
	head := s.head.Load()
	var h [frameHeader]byte
	s.get(h[:], head)
	size := int(binary.LittleEndian.Uint32(h[:]))
	f.to = Route(binary.LittleEndian.Uint16(h[4:]))
	f.level = Level(h[6])
	f.at = time.Unix(0, int64(binary.LittleEndian.Uint64(h[7:])))
	f.line = slices.Grow(f.line[:0], size)[:size]
	s.get(f.line, head+frameHeader)
	s.head.Store(head + uint64(frameHeader+size))
}
