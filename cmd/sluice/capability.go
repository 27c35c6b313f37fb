package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"sluice/conf"
)

// capabilities is a set of Linux capabilities (capabilities(7)). Bit N is the capability N.
type capabilities uint64

// capabilityBits has the capabilities that `setcap` may name.
var capabilityBits = map[string]capabilities{
	"cap_net_bind_service": netBindService,
	"cap_net_admin":        1 << unix.CAP_NET_ADMIN,
	"cap_net_raw":          1 << unix.CAP_NET_RAW,
	"cap_sys_admin":        1 << unix.CAP_SYS_ADMIN,
}

const (
	netBindService capabilities = 1 << unix.CAP_NET_BIND_SERVICE
	setPcap        capabilities = 1 << unix.CAP_SETPCAP
)

// capabilitiesOf returns the set of `setcap`.
func capabilitiesOf(g *conf.Global) (all capabilities) {
	for _, name := range g.SetCap {
		all |= capabilityBits[name]
	}
	return all
}

// String lists the names.
func (c capabilities) String() string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(capabilityBits)) {
		if c&capabilityBits[name] != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// capabilitySets are sets of a thread. All threads of this process have the same.
type capabilitySets struct{ effective, permitted, inheritable capabilities }

// ownCapabilities returns the sets of this process.
func ownCapabilities() (capabilitySets, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var words [2]unix.CapUserData
	if err := unix.Capget(&header, &words[0]); err != nil {
		return capabilitySets{}, fmt.Errorf("read the capabilities of the process: %w", err)
	}
	join := func(low, high uint32) capabilities { return capabilities(low) | capabilities(high)<<32 }
	return capabilitySets{
		effective:   join(words[0].Effective, words[1].Effective),
		permitted:   join(words[0].Permitted, words[1].Permitted),
		inheritable: join(words[0].Inheritable, words[1].Inheritable),
	}, nil
}

// apply gives the sets to all threads.
func (s capabilitySets) apply() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	words := [2]unix.CapUserData{
		{Effective: uint32(s.effective), Permitted: uint32(s.permitted), Inheritable: uint32(s.inheritable)},
		{Effective: uint32(s.effective >> 32), Permitted: uint32(s.permitted >> 32), Inheritable: uint32(s.inheritable >> 32)},
	}
	_, _, e := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&words)), 0)
	return failed("capset", e)
}

// prctl calls prctl(2) in all threads.
func prctl(what, value int) error {
	_, _, e := syscall.AllThreadsSyscall(unix.SYS_PRCTL, uintptr(what), uintptr(value), 0)
	return failed(fmt.Sprintf("prctl %d", what), e)
}

// errCgo: each thread has capabilities of its own, and Go does not know the threads that C code has
// started.
var errCgo = errors.New("setcap: this program was built with cgo, so it cannot change the capabilities of all threads; build it with CGO_ENABLED=0")

// failed returns the error of a call in all threads.
func failed(call string, e syscall.Errno) error {
	switch e {
	case 0:
		return nil
	case syscall.ENOTSUP:
		return errCgo
	}
	return fmt.Errorf("setcap: %s: %w", call, e)
}

// changeable returns an error if this program cannot change capabilities.
func changeable() error { return prctl(unix.PR_GET_KEEPCAPS, 0) }

// across calls setuid, which changes from root to an ordinary user, so that the capabilities of the
// set stay and no others. They also become the bounding set, which limits what a program could gain
// that this process executed.
func (c capabilities) across(setuid func() error) error {
	own, err := ownCapabilities()
	if err != nil {
		return err
	}
	if own.effective&setPcap != 0 {
		if err := c.bound(); err != nil {
			return err
		}
	}
	if err := prctl(unix.PR_SET_KEEPCAPS, 1); err != nil {
		return err
	}
	if err := setuid(); err != nil {
		return err
	}
	if err := (capabilitySets{effective: c, permitted: c}).apply(); err != nil {
		return err
	}
	return prctl(unix.PR_SET_KEEPCAPS, 0)
}

// bound removes all other capabilities from the bounding set. The kernel may know more of them than
// this program, so the loop ends where the kernel knows none.
func (c capabilities) bound() error {
	for n := range 64 {
		in, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(n), 0, 0, 0)
		if err != nil {
			return nil
		}
		if in == 0 || c>>n&1 == 1 {
			continue
		}
		if err := prctl(unix.PR_CAPBSET_DROP, n); err != nil {
			return err
		}
	}
	return nil
}

// raise makes the capabilities of the set effective that an ordinary user may use. They come from
// file capabilities without the flag for effective ones, as in HAProxy (management.txt 13.1).
func (c capabilities) raise() error {
	own, err := ownCapabilities()
	if err != nil || c.toRaise(own) == 0 {
		return err
	}
	own.effective |= c.toRaise(own)
	return own.apply()
}

// toRaise returns the capabilities of the set that the process has but cannot use yet.
func (c capabilities) toRaise(own capabilitySets) capabilities {
	return c & own.permitted &^ own.effective
}
