//go:build !simulation

package stat

import "time"

// Clock returns the time. In a build with the tag simulation it is that of the simulation.
func Clock() time.Time { return time.Now() }
