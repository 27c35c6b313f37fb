//go:build simulation

package engine

import (
	"slices"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

// spoil makes system calls of the balancer fail at random, from now on.
func (x *simulation) spoil() {
	x.few = x.process.Open() - x.wire.listen
	x.limitFiles()
	x.faults = slices.DeleteFunc(x.faults, x.impossible)
	if len(x.faults) == 0 {
		return
	}
	x.process.Fault = func(c kernel.Call) kernel.Errno {
		for i := range x.faults {
			if f := &x.faults[i]; f.call == c && x.rand.Float64() < f.odds {
				x.tell(incident, "the next %s of the balancer fails: %s", c, unix.ErrnoName(f.err))
				return f.err
			}
		}
		return 0
	}
}

// limitFiles limits the descriptors of the balancer, in a world of few. The limit leaves out listening
// sockets. Otherwise those of a reload could take the last descriptors, and clients would wait for
// ever.
func (x *simulation) limitFiles() {
	switch {
	case x.sizes.open == 0:
	case x.wire.opening:
		x.process.Limit = 0
	default:
		x.process.Limit = 3 + x.few + x.wire.listen + x.sizes.open
	}
}

// impossible reports whether Linux could not return this error in this world. If a memory budget is
// small, the engine peeks at bytes, passes them on and then reads them. Linux cannot fail to read
// bytes that a peek has returned.
func (x *simulation) impossible(f simFault) bool {
	m := x.sizes.memory
	return f.call == kernel.CallRead && f.err != unix.EINTR && min(m.Readers, m.Inspection, m.Answers) < usualBudget
}
