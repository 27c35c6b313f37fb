package kernel

import "golang.org/x/sys/unix"

// item is the registration of a file with an epoll instance.
type item struct{}

// forgetItems removes a file from all epoll instances.
func forgetItems(file) {}

// wake tells the epoll instances of a file that its state has changed (wake_up_poll). events are the
// events that the change may have caused; 0: any. An item that wants none of them stays as it is.
// Otherwise, the item becomes ready, and Wait polls the file.
func (r *references) wake(events uint32) {}

// Epoll opens an epoll instance.
func (p *Process) Epoll() (int, Errno) { return -1, unix.ENOSYS }

// Control adds, changes or removes an item (epoll_ctl(2)).
func (p *Process) Control(ep, op, fd int, ev *unix.EpollEvent) Errno { return unix.ENOSYS }

// Wait returns the events of ready items (epoll_wait(2) with a timeout of 0).
func (p *Process) Wait(ep int, events []unix.EpollEvent) (int, Errno) { return -1, unix.ENOSYS }

// Ready reports whether Wait would return an event.
func (p *Process) Ready(ep int) bool { return false }
