package access

import (
	"encoding/binary"
	"slices"
	"sync/atomic"
	"time"
)

// ringSize is how many bytes a loop may be ahead of the collector. It must be a
// power of two.
const ringSize = 256 << 10

// frameHeader stands before each line in a ring: length, route, level and the
// time of sending in nanoseconds since 1970.
const frameHeader = 4 + 2 + 1 + 8

// Sink is one loop's end of the log: a ring with the loop as its only writer and
// the collector as its only reader. The ring is made at the first line.
type Sink struct {
	log   *Log
	ring  []byte // made by the loop before tail first moves, seen by the collector after
	_     [64]byte
	tail  atomic.Uint64 // moved by the loop
	drops drops
	_     [64]byte
	head  atomic.Uint64 // moved by the collector
}

// Send hands a line, without newline, to the targets of a route. It is the
// owning loop's only: it neither blocks nor locks nor allocates, and drops the
// line when the ring is full. The line is copied.
func (s *Sink) Send(to Route, lv Level, line []byte) {
	if to == None {
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

// put copies into the ring at a running position.
func (s *Sink) put(pos uint64, p []byte) {
	n := copy(s.ring[pos&(ringSize-1):], p)
	copy(s.ring, p[n:])
}

// get copies out of the ring what was put at a running position.
func (s *Sink) get(p []byte, pos uint64) {
	n := copy(p, s.ring[pos&(ringSize-1):])
	copy(p[n:], s.ring)
}

// pending says whether the collector has something to fetch.
func (s *Sink) pending() bool { return s.head.Load() != s.tail.Load() }

// frame is a line on its way from a ring to the carriers.
type frame struct {
	to    Route
	level Level
	at    time.Time
	line  []byte // reused by the next
}

// next fetches the oldest line into f. It is the collector's only, and only
// while something is pending.
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
