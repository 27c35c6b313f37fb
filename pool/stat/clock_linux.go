//go:build !simulation

package stat

import "time"

// Clock returns the present time. In a build with the tag simulation, Clock returns the time of the
// simulation.
func Clock() time.Time { return time.Now() }
