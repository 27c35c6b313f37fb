// Package wheel keeps the deadlines of many sessions on one loop.
//
// It is a hashed timing wheel. An entry is a number with at most one deadline. Arming,
// cancelling and firing an entry cost the same however many entries wait. Nothing is allocated
// after New. Entries that were never armed use no memory, see package reserve. The caller passes
// the time to each call, in milliseconds of a monotonic clock.
//
// An entry is never moved to a later time. It fires at the earliest time for which it was
// armed. The owner of the entry then compares the time with its real deadline, and arms the
// entry again if the deadline is later. So a session that is busy all the time costs one call
// per timeout, not one per byte.
//
// A Wheel belongs to one loop and is used on its goroutine only.
package wheel
