//go:build simulation

package stat

import "time"

var clock = time.Now

// Clock returns the time of the simulation, or the time of the machine before Simulate is called.
func Clock() time.Time { return clock() }

// Simulate makes Clock and Now show the time that c returns. Now is 0 at the time of the call.
func Simulate(c func() time.Time) { clock, began = c, c() }
