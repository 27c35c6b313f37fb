package kernel_test

import (
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

func (r *real) Epoll() (int, kernel.Errno) { return r.made(unix.EpollCreate1(unix.EPOLL_CLOEXEC)) }

func (r *real) Control(ep, op, fd int, ev *unix.EpollEvent) kernel.Errno {
	return errnoOf(unix.EpollCtl(r.out(ep), op, r.out(fd), ev))
}

func (r *real) Wait(ep int, events []unix.EpollEvent) (int, kernel.Errno) {
	for {
		n, e := counted(unix.EpollWait(r.out(ep), events, 0))
		if e != unix.EINTR {
			return n, e
		}
	}
}

func (r *real) Eventfd() (int, kernel.Errno) {
	return r.made(unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC))
}

func (r *real) Timerfd() (int, kernel.Errno) {
	return r.made(unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC))
}

func (r *real) SetTimer(fd int, in time.Duration) kernel.Errno {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(in.Nanoseconds())}
	return errnoOf(unix.TimerfdSettime(r.out(fd), 0, &spec, nil))
}

func (r *real) Pipe() (int, int, kernel.Errno) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return -1, -1, errnoOf(err)
	}
	read, _ := r.made(fds[0], nil)
	write, _ := r.made(fds[1], nil)
	return read, write, 0
}

func (r *real) PipeSize(fd, size int) (int, kernel.Errno) {
	command := unix.F_SETPIPE_SZ
	if size == 0 {
		command = unix.F_GETPIPE_SZ
	}
	return counted(unix.FcntlInt(uintptr(r.out(fd)), command, size))
}

func (r *real) Splice(from, to, n int) (int, kernel.Errno) {
	moved, err := unix.Splice(r.out(from), nil, r.out(to), nil, n, unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
	return counted(int(moved), err)
}

// expire waits until a timer has expired.
func (r *real) expire(fd int, _ time.Duration) {
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(r.out(fd)), Events: unix.POLLIN}}, int(patience.Milliseconds()))
}

// watched are the events that the comparison looks at.
const watched = unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLOUT | unix.EPOLLERR | unix.EPOLLHUP | unix.EPOLLRDHUP

func (r *real) Poll(fd int) uint32 {
	fds := []unix.PollFd{{Fd: int32(r.out(fd)), Events: watched}}
	for {
		_, err := unix.Poll(fds, 0)
		if err != unix.EINTR {
			return uint32(fds[0].Revents) & watched
		}
	}
}
