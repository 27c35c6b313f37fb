//go:build simulation

package stat

import "time"

var clock = time.Now

// Clock returns the time of the simulation, or that of the machine before Simulate is called.
func Clock() time.Time { return clock() }

// Simulate makes all clocks of the engine show the time of a simulation. Now is 0 at this moment.
func Simulate(c func() time.Time) { clock, began = c, c() }
