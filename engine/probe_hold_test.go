//go:build !simulation

package engine

import "sluice/engine/session"

// holdIn makes the loop of the next session that enters a state wait until do has returned.
func (i *inspector) holdIn(s session.State, do func(fd int)) (over <-chan struct{}) {
	h := &holding{s, do, make(chan struct{})}
	i.hold.Store(h)
	return h.over
}
