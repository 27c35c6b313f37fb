package kernel

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// possible are the errors that Linux may return for a call at any time, whatever the state of the file
// (manual pages, section 2). Errors that follow from the state, such as ECONNREFUSED, are no faults.
var possible = map[Call][]Errno{
	CallSocket:   {unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOBUFS},
	CallBind:     {unix.EADDRINUSE, unix.ENOMEM},
	CallListen:   {unix.EADDRINUSE},
	CallAccept:   {unix.EINTR, unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOBUFS, unix.ECONNABORTED},
	CallConnect:  {unix.EINTR, unix.EADDRNOTAVAIL, unix.ENOMEM, unix.ENOBUFS, unix.ENETUNREACH},
	CallRead:     {unix.EINTR, unix.EAGAIN, unix.ENOMEM},
	CallPeek:     {unix.EINTR, unix.EAGAIN, unix.ENOMEM},
	CallWrite:    {unix.EINTR, unix.EAGAIN, unix.ENOMEM, unix.ENOBUFS},
	CallSplice:   {unix.EINTR, unix.EAGAIN, unix.ENOMEM, unix.EINVAL},
	CallOption:   {unix.ENOMEM, unix.ENOBUFS},
	CallPipe:     {unix.EMFILE, unix.ENFILE},
	CallPipeSize: {unix.ENOMEM, unix.EPERM},
	CallEpoll:    {unix.EMFILE, unix.ENFILE, unix.ENOMEM},
	CallControl:  {unix.ENOMEM, unix.ENOSPC}, // only EPOLL_CTL_ADD
	CallWait:     {unix.EINTR},
	CallEvent:    {unix.EMFILE, unix.ENFILE, unix.ENODEV, unix.ENOMEM},
	CallTimer:    {unix.EMFILE, unix.ENFILE, unix.ENODEV, unix.ENOMEM},
	CallDup:      {unix.EMFILE},
}

// Faults returns the errors that a call may fail with by a fault. The caller must not change them.
func Faults(c Call) []Errno { return possible[c] }

// fault returns the error that Fault chose for this call, or 0. An error that Linux cannot return for
// the call counts as 0.
func (p *Process) fault(c Call) Errno {
	p.spend(c)
	if p.Fault == nil {
		return 0
	}
	if e := p.Fault(c); slices.Contains(possible[c], e) {
		return e
	}
	return 0
}

// spend subtracts a call from the budget. It panics when the budget becomes 0.
func (p *Process) spend(c Call) {
	if p.Budget == 0 {
		return
	}
	if p.Budget--; p.Budget == 0 {
		panic(fmt.Sprintf("%s has used up its budget of calls; the last one is %s", p.Name, c))
	}
}

// faultOn is fault for a call that moves bytes. Linux returns EAGAIN only if the call must be repeated
// after an event. So with EAGAIN, faultOn wakes the file for events, as if they had come right after
// the call.
func (p *Process) faultOn(c Call, f file, events uint32) Errno {
	switch f.(type) {
	case *eventfd, *timerfd, *readEnd: // reading and writing them needs no memory
		return 0
	}
	e := p.fault(c)
	if e == unix.EAGAIN {
		f.refs().wake(events)
	}
	return e
}
