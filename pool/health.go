package pool

import (
	"time"

	"sluice/conf"
)

// top is the highest value of a server's health. From this value, Fall failures in a row make the
// server DOWN.
func top(c *conf.Server) int { return c.Rise + c.Fall - 1 }

// step returns the health after one more check. Below Rise the server is DOWN. A success raises
// health by one; if the server then is UP, health becomes the highest value. A failure lowers
// health by one; if the server then is DOWN, health becomes 0 (HAProxy's check_health).
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

// interval returns the time from the end of one check to the next. This is inter at the highest
// health, downinter at health 0, and fastinter otherwise. downinter or fastinter of 0 means
// inter (configuration.txt 5.2, `inter`).
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
