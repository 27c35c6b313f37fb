package pool

import (
	"time"

	"sluice/conf"
)

// top is the highest value of a server's health: UP, with Fall failures to go.
func top(c *conf.Server) int { return c.Rise + c.Fall - 1 }

// step returns the health that follows from one more check. Below rise the
// server is DOWN. A success that makes it UP, or finds it so, lifts it to the
// top; a failure that makes it DOWN, or finds it so, drops it to 0 (HAProxy's
// check_health).
func step(health int, c *conf.Server, ok bool) int {
	switch {
	case ok && health+1 >= c.Rise:
		return top(c)
	case ok:
		return health + 1
	case health > c.Rise:
		return health - 1
	}
	return 0
}

// interval returns the pause before the next check: inter while all is well,
// downinter while nothing is, fastinter while things change (5.2, `inter`).
func interval(health int, c *conf.Server) time.Duration {
	other := c.FastInter
	switch health {
	case top(c):
		return c.Inter
	case 0:
		other = c.DownInter
	}
	if other == 0 {
		return c.Inter
	}
	return other
}
