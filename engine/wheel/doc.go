// Package wheel keeps the deadlines of many sessions on one loop.
//
// It is a hashed timing wheel over entry numbers: arming, cancelling and
// firing cost the same however many entries wait, nothing is allocated after
// New, and the arrays hold no pointers. Time is what the caller says it is, in
// milliseconds on a monotonic clock of its own.
//
// Re-arming is lazy: an entry is never moved to a later time. It fires at the
// earliest time it was armed for, and its owner, who knows the time that
// counts by then, arms it again. So a session that is busy all the time costs
// one visit per timeout, not one per byte.
//
// A Wheel belongs to one loop and is used on its goroutine only.
package wheel
