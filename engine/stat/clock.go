package stat

import "time"

var began = time.Now()

// Now is the clock of this package: milliseconds since the process began, from
// the monotonic clock, so that setting the wall clock moves no rate. A loop
// reads it once a wake and hands it to the methods that want it.
func Now() int64 { return At(time.Now()) }

// At is what Now was at t.
func At(t time.Time) int64 { return t.Sub(began).Milliseconds() }

// Began is the wall-clock time at which Now was 0.
func Began() time.Time { return began }
