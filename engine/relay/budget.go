package relay

import "sync/atomic"

// Purpose is the reason why a flow holds bytes. Each purpose has its own budget, so that one
// purpose cannot use up the memory of another.
type Purpose uint8

// The purposes.
const (
	// ForReader: bytes in stores and pipes that wait for a peer that accepts no more bytes.
	ForReader Purpose = iota
	// ForInspection: bytes of a client that wait for one of three reasons: rules need more
	// bytes to decide, the previous request is not finished, or no server is connected yet.
	ForInspection
	// ForAnswer: bytes of a server whose answer is not complete enough to be examined.
	ForAnswer
	// ForRecord: parts of a request for its log line, and copies of requests that may be
	// repeated.
	ForRecord
	purposes
)

// Budgets are the budgets of the process, by purpose. All loops share them.
type Budgets [purposes]*Budget

// Used returns the bytes in use for all purposes.
func (b *Budgets) Used() (n int64) {
	for _, one := range b {
		n += one.Used()
	}
	return n
}

// Budget limits the bytes that all flows of the process hold for one purpose. A loop checks the
// budget before it reads. So the limit may be exceeded by one read per loop.
type Budget struct {
	limit int64        // bytes
	share int          // bytes that each flow may hold even when the limit is reached; 0: none
	used  atomic.Int64 // bytes
}

// NewBudget returns a budget of limit bytes. Each flow may hold share bytes even when the limit
// is reached.
func NewBudget(limit int64, share int) *Budget { return &Budget{limit: limit, share: share} }

// Used returns the bytes in use.
func (b *Budget) Used() int64 { return b.used.Load() }

// allows reports whether a flow may hold n bytes in total.
func (b *Budget) allows(n int) bool { return n <= b.share || b.used.Load() < b.limit }

func (b *Budget) charge(n int) { b.used.Add(int64(n)) }
func (b *Budget) refund(n int) { b.used.Add(-int64(n)) }
