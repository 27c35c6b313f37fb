package stat

import "sync/atomic"

const (
	meanWindow = 1024 // number of samples; management.txt 9.1: "over the 1024 last requests"
	meanBits   = 11
	meanMask   = 1<<meanBits - 1
)

// Mean is a sliding average over about the last 1,024 samples, and the highest sample of all.
// The zero value is ready to use and its average is 0.
type Mean struct {
	word atomic.Uint64 // sum<<meanBits | number of samples, so that both change at once
	max  atomic.Int64  // highest sample, milliseconds
}

// Add adds one sample in milliseconds. A negative sample means that the phase was never reached,
// and is ignored.
func (m *Mean) Add(v int64) {
	if v < 0 {
		return
	}
	for {
		old := m.word.Load()
		if m.word.CompareAndSwap(old, slide(old, uint64(v))) {
			raise(&m.max, v)
			return
		}
	}
}

// slide adds the sample v to word, which has the format of Mean.word. If the window is full, slide
// first removes one sample of average size.
func slide(word, v uint64) uint64 {
	sum, n := word>>meanBits, word&meanMask
	if n == meanWindow {
		return (sum-sum/n+v)<<meanBits | n
	}
	return (sum+v)<<meanBits | (n + 1)
}

// Avg returns the average in milliseconds, 0 without samples.
func (m *Mean) Avg() int64 {
	word := m.word.Load()
	return int64((word >> meanBits) / max(word&meanMask, 1))
}

// Max returns the highest sample in milliseconds, 0 without samples.
func (m *Mean) Max() int64 { return m.max.Load() }
