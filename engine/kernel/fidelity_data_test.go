package kernel_test

import (
	"fmt"
	"math"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

// TestFidelityEventData: on both systems, events return all 64 bits of data that the last registration
// of their file had.
func TestFidelityEventData(t *testing.T) {
	a := <-enter(t.TempDir(), false, func(a *arena) {
		model := kernel.New(kernel.Options{}).Process("model")
		for name, s := range map[string]system{"real": a.machine, "model": model} {
			for _, fd := range []int32{0, 1, -1, math.MinInt32, math.MaxInt32, 0x12345678} {
				for _, pad := range []int32{0, 1, -1, math.MinInt32, math.MaxInt32, -0x12345678} {
					for _, wrong := range eventData(s, fd, pad) {
						a.failures = append(a.failures, name+": "+wrong)
					}
				}
			}
		}
	})
	a.report(t)
}

// eventData registers a file with data, then changes the registration to other data. It returns what
// is wrong about the events.
func eventData(s system, fd, pad int32) (wrong []string) {
	ep, _ := s.Epoll()
	file, _ := s.Eventfd()
	defer s.Close(file)
	defer s.Close(ep)
	for _, step := range []struct {
		op   int
		want unix.EpollEvent
	}{
		{unix.EPOLL_CTL_ADD, unix.EpollEvent{Events: unix.EPOLLOUT, Fd: fd, Pad: pad}},
		{unix.EPOLL_CTL_MOD, unix.EpollEvent{Events: unix.EPOLLOUT, Fd: pad, Pad: fd}},
	} {
		ev, events := step.want, make([]unix.EpollEvent, 2)
		e := s.Control(ep, step.op, file, &ev)
		n, e2 := s.Wait(ep, events)
		if e != 0 || e2 != 0 || n != 1 || events[0] != step.want || ev != step.want {
			wrong = append(wrong, fmt.Sprintf("epoll_ctl %d with %+v: %v; epoll_wait: %d %v %+v", step.op, step.want, e, n, e2, events[0]))
		}
	}
	return wrong
}
