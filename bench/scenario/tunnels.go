package scenario

import (
	"errors"

	"sluice/bench/load"
)

// tunnels are connections in mode tcp that stay open. One goroutine at a time uses them.
type tunnels struct {
	sets  []*load.Held
	first load.Exchange // the exchange on each tunnel
}

// open opens n more tunnels and makes an exchange on each.
func (u *tunnels) open(t *Target, n int) error {
	all, err := exchanges(kept, t.Running)
	if err != nil {
		return err
	}
	u.first = all[0]
	set, err := load.Hold(t.Addr, u.first, n)
	if err != nil {
		return err
	}
	u.sets = append(u.sets, set)
	return nil
}

// again makes an exchange on each tunnel and returns those that failed.
func (u *tunnels) again() (failures load.Failures) {
	for _, set := range u.sets {
		failures.Merge(set.Again(u.first))
	}
	return failures
}

func (u *tunnels) close() (err error) {
	for _, set := range u.sets {
		err = errors.Join(err, set.Close())
	}
	return err
}
