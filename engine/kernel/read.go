package kernel

import "golang.org/x/sys/unix"

// reader is a file that can be read.
type reader interface {
	read(b []byte) (int, Errno)
}

// writer is a file that can be written to.
type writer interface {
	write(b []byte) (int, Errno)
}

// Read reads up to len(b) bytes (read(2)). 0 without an error is the end of the stream. EAGAIN means
// that there are no bytes now. An epoll instance and the writing end of a pipe cannot be read: EINVAL,
// EBADF.
func (p *Process) Read(fd int, b []byte) (int, Errno) {
	n, e := p.read(fd, b)
	p.report(CallRead, fd, len(b), n, e)
	return n, e
}

func (p *Process) read(fd int, b []byte) (int, Errno) {
	f, e := p.get(CallRead, fd)
	if e != 0 {
		return -1, e
	}
	if e := p.faultOn(CallRead, f, unix.EPOLLIN); e != 0 {
		return -1, e
	}
	r, ok := f.(reader)
	if !ok {
		return -1, unix.EINVAL
	}
	n, e := r.read(b)
	p.kernel.settle()
	return n, e
}

// Write writes up to len(b) bytes (write(2)). EAGAIN means that the file takes none now. An epoll
// instance, a timerfd and the reading end of a pipe cannot be written to: EINVAL, EINVAL, EBADF.
func (p *Process) Write(fd int, b []byte) (int, Errno) {
	n, e := p.write(fd, b)
	p.report(CallWrite, fd, len(b), n, e)
	return n, e
}

func (p *Process) write(fd int, b []byte) (int, Errno) {
	f, e := p.get(CallWrite, fd)
	if e != 0 {
		return -1, e
	}
	if e := p.faultOn(CallWrite, f, unix.EPOLLOUT); e != 0 {
		return -1, e
	}
	w, ok := f.(writer)
	if !ok {
		return -1, unix.EINVAL
	}
	n, e := w.write(b)
	p.kernel.settle()
	return n, e
}
