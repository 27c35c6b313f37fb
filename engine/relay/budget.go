package relay

import "sync/atomic"

// Budget bounds the bytes that all flows of the process hold back for slow
// readers, stores and pipes together. A loop looks before it reads, so the
// bound may be passed by what one read per loop brings in.
type Budget struct {
	limit int64
	used  atomic.Int64
}

// NewBudget returns a budget of limit bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit} }

// Used returns the bytes in use.
func (b *Budget) Used() int64 { return b.used.Load() }

// Spent reports whether nothing is left.
func (b *Budget) Spent() bool { return b.used.Load() >= b.limit }

func (b *Budget) charge(n int) { b.used.Add(int64(n)) }
func (b *Budget) refund(n int) { b.used.Add(-int64(n)) }
