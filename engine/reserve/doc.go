// Package reserve makes large arrays outside the Go heap. An [Array] reserves address space for the
// highest number of entries that can ever be needed. Only pages that were touched use memory, so
// an array need not grow and its entries never move.
//
// The garbage collector does not see the arrays, so entries must hold no pointers. An Array has no
// lock. It belongs to its maker, usually one loop, and is used on the goroutine of that loop.
package reserve
