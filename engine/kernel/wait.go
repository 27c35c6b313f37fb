package kernel

import "golang.org/x/sys/unix"

// Wait returns up to len(events) events of ready files (epoll_wait(2) with a timeout of 0). It returns
// 0 if there are none, and never blocks. Files become ready in the order of their wakes.
//
// Wait polls each ready file again, and drops it without a report if no wanted event is present.
// Several wakes before a Wait make one event. A level-triggered file is ready again at once. An
// edge-triggered file is ready again after its next wake or EPOLL_CTL_MOD. Files for which events has
// no space stay ready.
func (p *Process) Wait(ep int, events []unix.EpollEvent) (int, Errno) {
	e, errno := p.epoll(CallWait, ep)
	if errno != 0 {
		return -1, errno
	}
	n := -1
	switch errno = p.fault(CallWait); {
	case errno != 0:
	case len(events) == 0:
		errno = unix.EINVAL
	default:
		n = e.wait(events)
	}
	if p.traced() {
		p.traceWait(ep, e.told, events, n, errno)
	}
	return n, errno
}

// wait moves events out of the queue of ready items (ep_send_events). Each item that is ready at
// the start is polled at most once.
func (e *epoll) wait(events []unix.EpollEvent) int {
	n := 0
	e.told = e.told[:0]
	for again := (queue{}); ; {
		it := e.ready.first
		if it == nil || n == len(events) || n > 0 && e.kernel.chance(e.kernel.Spurious) {
			e.ready.append(&again)
			return n
		}
		e.ready.remove(it)
		present := it.poll()
		if present == 0 {
			continue
		}
		events[n] = it.event
		events[n].Events = present
		e.told = append(e.told, it.fd)
		n++
		if it.staysReady() {
			again.push(it)
		}
	}
}

// staysReady reports whether an item is ready again at once after a report. A one-shot item is
// disabled instead, until EPOLL_CTL_MOD. An edge-triggered item may stay ready by chance, as if the
// file had been woken again.
func (it *item) staysReady() bool {
	switch {
	case it.event.Events&unix.EPOLLONESHOT != 0:
		it.event.Events &= private
		return false
	case it.event.Events&unix.EPOLLET == 0:
		return true
	}
	return it.epoll.kernel.chance(it.epoll.kernel.Spurious)
}

// Ready reports whether Wait would return an event. It is false for a descriptor that is no epoll
// instance.
func (p *Process) Ready(ep int) bool {
	e, errno := p.epoll(CallWait, ep)
	return errno == 0 && e.poll() != 0
}

// queue is a list of items in the order in which they became ready.
type queue struct {
	first, last *item
}

// push adds an item at the end, unless it is in a queue already.
func (q *queue) push(it *item) {
	if it.queued {
		return
	}
	it.queued, it.prev = true, q.last
	if q.last != nil {
		q.last.next = it
	} else {
		q.first = it
	}
	q.last = it
}

// remove takes an item out of the queue, if it is there.
func (q *queue) remove(it *item) {
	if !it.queued {
		return
	}
	if it.prev != nil {
		it.prev.next = it.next
	} else {
		q.first = it.next
	}
	if it.next != nil {
		it.next.prev = it.prev
	} else {
		q.last = it.prev
	}
	it.queued, it.prev, it.next = false, nil, nil
}

// append moves all items of another queue to the end.
func (q *queue) append(other *queue) {
	for it := other.first; it != nil; it = other.first {
		other.remove(it)
		q.push(it)
	}
}

// newItem returns an item that is not in use.
func (k *Kernel) newItem() *item {
	last := len(k.items) - 1
	if last < 0 {
		return &item{}
	}
	it := k.items[last]
	k.items = k.items[:last]
	return it
}

// free takes back an item that newItem has returned.
func (k *Kernel) free(it *item) {
	*it = item{}
	k.items = append(k.items, it)
}
