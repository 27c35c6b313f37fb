package stat

import "time"

var began = Clock()

// Now returns the milliseconds since the process began. It uses the monotonic clock, so that a
// change of the wall clock changes no rate. A loop reads it once each time it wakes, and passes
// the value to the methods that need it.
func Now() int64 { return At(Clock()) }

// At returns the value of Now at the time t.
func At(t time.Time) int64 { return t.Sub(began).Milliseconds() }

// Began returns the wall-clock time at which Now was 0.
func Began() time.Time { return began }
