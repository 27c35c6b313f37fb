package relay

import "sync/atomic"

// Purpose says what a flow holds bytes for. Each purpose has a budget of its
// own, so that what one takes is never missing to another.
type Purpose uint8

// The purposes.
const (
	// ForReader: bytes wait for a peer that takes no more, in stores and pipes.
	ForReader Purpose = iota
	// ForInspection: a client's bytes wait for more of them, so that rules can
	// decide, for the request before them to be over, or for a server.
	ForInspection
	// ForAnswer: the same of a server's bytes.
	ForAnswer
	// ForRecord: a request's log line will tell them.
	ForRecord
	purposes
)

// Budgets are those of the process, by purpose, shared by all loops.
type Budgets [purposes]*Budget

// Used returns the bytes in use, whatever for.
func (b *Budgets) Used() (n int64) {
	for _, one := range b {
		n += one.Used()
	}
	return n
}

// Budget bounds the bytes that all flows of the process hold for one purpose.
// A loop looks before it reads, so the bound may be passed by what one read per
// loop brings in.
type Budget struct {
	limit int64
	share int // bytes that each flow may hold when the limit is reached; 0: none
	used  atomic.Int64
}

// NewBudget returns a budget of limit bytes, of which each flow may hold share
// bytes whatever the others hold.
func NewBudget(limit int64, share int) *Budget { return &Budget{limit: limit, share: share} }

// Used returns the bytes in use.
func (b *Budget) Used() int64 { return b.used.Load() }

// allows reports whether a flow may hold n bytes.
func (b *Budget) allows(n int) bool { return n <= b.share || b.used.Load() < b.limit }

func (b *Budget) charge(n int) { b.used.Add(int64(n)) }
func (b *Budget) refund(n int) { b.used.Add(-int64(n)) }
