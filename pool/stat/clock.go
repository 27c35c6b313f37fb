package stat

import "time"

var began = Clock()

// Now returns the milliseconds since the process began. It uses the monotonic clock, so that a
// change of the wall clock changes no rate. Reading the clock costs time, so a loop reads it once
// for several events and passes the value to the methods of this package.
func Now() int64 { return At(Clock()) }

// At returns the value of Now at the time t, in milliseconds. t must be a result of Clock.
func At(t time.Time) int64 { return t.Sub(began).Milliseconds() }

// Began returns the time at which Now was 0.
func Began() time.Time { return began }
