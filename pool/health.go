package pool

import (
	"time"

	"sluice/conf"
)

// condition is the settings of a server, and the result of its checks in terms of these settings.
// It is immutable, so a reader never combines a health with other settings than its own.
type condition struct {
	conf     *conf.Server
	health   int    // 0 to top, see step
	stopping bool   // the last passed check was L7OKC: no new clients
	found    Status // state according to the checks: Up, NoLB or Down; Up without checks
}

func newCondition(c *conf.Server, health int, stopping bool) *condition {
	is := &condition{c, health, stopping, Up}
	switch {
	case !c.Check:
	case health < c.Rise:
		is.found = Down
	case stopping:
		is.found = NoLB
	}
	return is
}

// atStart returns the condition at the start of the process. As in HAProxy, the server is UP, but
// one failure makes it DOWN.
func atStart(c *conf.Server) *condition { return newCondition(c, c.Rise, false) }

// after returns the condition after one more check.
func (is *condition) after(r Result) *condition {
	stopping := is.stopping
	if r.OK {
		stopping = r.Status == L7OKC
	}
	return newCondition(is.conf, step(is.health, is.conf, r.OK), stopping)
}

// under returns the condition that means the same under other settings. A server that is UP stays
// UP and one that is DOWN stays DOWN, after as many checks towards the opposite as before, but not
// so many that the next check could not count.
func (is *condition) under(c *conf.Server) *condition {
	health := min(is.health, c.Rise-1)
	if is.health >= is.conf.Rise {
		failures := top(is.conf) - is.health
		health = top(c) - min(failures, c.Fall-1)
	}
	return newCondition(c, health, is.stopping)
}

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
func (is *condition) interval() time.Duration {
	c := is.conf
	other := c.FastInter
	switch is.health {
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
