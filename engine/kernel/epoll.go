package kernel

import (
	"slices"

	"golang.org/x/sys/unix"
)

// epoll is an epoll instance (epoll(7)). It has the semantics of the kernel's fs/eventpoll.c.
type epoll struct {
	references
	kernel *Kernel
	items  []*item // all registrations, in no order
	ready  queue   // items with events that Wait has not reported yet
	told   []int   // descriptors of the events of the last Wait, for its trace
}

// item is the registration of a file with an epoll instance. A file that was duplicated may have one
// for each of its descriptors.
type item struct {
	epoll      *epoll
	file       file
	fd         int             // the descriptor at the registration; it may be closed since then
	event      unix.EpollEvent // the wanted events, and data of the caller
	index      int             // index in items of the instance
	queued     bool            // whether the item is in the ready queue
	prev, next *item           // adjacent items in the ready queue; nil: none
}

// private are the bits of a registration that are no events.
const private = unix.EPOLLET | unix.EPOLLONESHOT | unix.EPOLLWAKEUP

// Epoll opens an epoll instance.
func (p *Process) Epoll() (int, Errno) {
	return p.open(CallEpoll, &epoll{kernel: p.kernel})
}

// poll returns EPOLLIN if Wait would return an event. As Wait does, it removes files without a
// wanted event from the ready queue.
func (e *epoll) poll() uint32 {
	for it := e.ready.first; it != nil; it = e.ready.first {
		if it.poll() != 0 {
			return unix.EPOLLIN
		}
		e.ready.remove(it)
	}
	return 0
}

func (e *epoll) release() {
	for len(e.items) > 0 {
		e.remove(e.items[len(e.items)-1])
	}
}

// Control adds, changes or removes the registration of a file (epoll_ctl(2)). ev contains the wanted
// events; Wait returns its Fd and Pad unchanged. EPOLLERR and EPOLLHUP are always wanted.
//
// A registration belongs to an open file and its descriptor together. So it lasts until the last
// descriptor of the file is closed, although the one that it was made for may be closed before.
//
// Errors: EBADF, EINVAL (ep is no epoll instance or equals fd, or op is unknown), EEXIST and ENOENT.
// EPERM: an epoll instance cannot be registered with another one, other than on Linux.
func (p *Process) Control(ep, op, fd int, ev *unix.EpollEvent) Errno {
	e := p.control(ep, op, fd, ev)
	if p.traced() {
		p.traceControl(ep, op, fd, ev, e)
	}
	return e
}

func (p *Process) control(ep, op, fd int, ev *unix.EpollEvent) Errno {
	instance, e := p.epoll(CallControl, ep)
	if e == unix.EBADF {
		return e
	}
	f, bad := p.get(CallControl, fd)
	if bad != 0 {
		return bad
	}
	if e != 0 || f == file(instance) {
		return unix.EINVAL
	}
	switch it := instance.find(f, fd); op {
	case unix.EPOLL_CTL_ADD:
		return p.addItem(instance, it, f, fd, ev)
	case unix.EPOLL_CTL_MOD:
		return instance.change(it, ev)
	case unix.EPOLL_CTL_DEL:
		if it == nil {
			return unix.ENOENT
		}
		instance.remove(it)
		return 0
	}
	return unix.EINVAL
}

// Registered returns the number of registrations with an epoll instance, for tests.
func (p *Process) Registered(ep int) int {
	instance, e := p.epoll(CallControl, ep)
	if e != 0 {
		return 0
	}
	return len(instance.items)
}

// epoll returns the epoll instance of a descriptor.
func (p *Process) epoll(c Call, fd int) (*epoll, Errno) {
	f, e := p.get(c, fd)
	if e != 0 {
		return nil, e
	}
	if instance, ok := f.(*epoll); ok {
		return instance, 0
	}
	return nil, unix.EINVAL
}

// addItem registers a file. existing is its registration under the same descriptor; nil: none.
func (p *Process) addItem(e *epoll, existing *item, f file, fd int, ev *unix.EpollEvent) Errno {
	if existing != nil {
		return unix.EEXIST
	}
	if _, nested := f.(*epoll); nested {
		return unix.EPERM
	}
	if err := p.fault(CallControl); err != 0 {
		return err
	}
	it := p.kernel.newItem()
	*it = item{epoll: e, file: f, fd: fd, index: len(e.items)}
	e.items = append(e.items, it)
	r := f.refs()
	r.items = append(r.items, it)
	e.want(it, ev)
	return 0
}

// change replaces the wanted events of a registration (ep_modify). Wanted events that are present
// are reported by the next Wait, even if an earlier Wait has reported them.
func (e *epoll) change(it *item, ev *unix.EpollEvent) Errno {
	if it == nil {
		return unix.ENOENT
	}
	e.want(it, ev)
	return 0
}

// want sets the wanted events of a registration, and makes the registration ready if one of them is
// present.
func (e *epoll) want(it *item, ev *unix.EpollEvent) {
	it.event = *ev
	it.event.Events |= unix.EPOLLERR | unix.EPOLLHUP
	if it.poll() != 0 {
		e.ready.push(it)
	}
}

// poll returns the wanted events that are present.
func (it *item) poll() uint32 { return it.file.poll() & it.event.Events }

// find returns the registration of a file under a descriptor, or nil.
func (e *epoll) find(f file, fd int) *item {
	for _, it := range f.refs().items {
		if it.epoll == e && it.fd == fd {
			return it
		}
	}
	return nil
}

// remove ends a registration (ep_remove).
func (e *epoll) remove(it *item) {
	r := it.file.refs()
	i := slices.Index(r.items, it)
	r.items = slices.Delete(r.items, i, i+1)
	last := e.items[len(e.items)-1]
	e.items[it.index], last.index = last, it.index
	e.items[len(e.items)-1] = nil
	e.items = e.items[:len(e.items)-1]
	e.ready.remove(it)
	e.kernel.free(it)
}

// forgetItems removes a file from all epoll instances (eventpoll_release).
func forgetItems(f file) {
	for r := f.refs(); len(r.items) > 0; {
		it := r.items[len(r.items)-1]
		it.epoll.remove(it)
	}
}

// wake makes the registrations of a file ready after its state has changed (ep_poll_callback). events
// are the events that the change may have caused; 0: any. A registration that wants none of them is
// not woken. The newest registration is woken first, as Linux does.
func (r *references) wake(events uint32) {
	if r.owner != nil {
		r.owner.Wakes++
	}
	for _, it := range slices.Backward(r.items) {
		wants := it.event.Events &^ private
		if wants != 0 && (events == 0 || events&wants != 0) {
			it.epoll.ready.push(it)
		}
	}
}
