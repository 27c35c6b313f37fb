package kernel

import "golang.org/x/sys/unix"

// Process is a process with its own table of descriptors.
type Process struct {
	Name  string // for traces
	Limit int    // most descriptors that it may have; 0: no limit
	// Strict: a call on a descriptor that is not open is recorded as a violation.
	Strict bool
	// Fault is asked before each call. If it returns an error, the call fails with it, provided
	// that Linux could fail this call so. nil: no faults.
	Fault func(c Call) Errno
	// Budget is the number of calls that the process may still make: the last one panics. So a program
	// that calls without end is stopped. 0: no limit.
	Budget int
	// Wakes grows whenever the state of a file changes that this process has opened. As long as it
	// stays the same, Poll returns the same for each of them.
	Wakes uint64
	// Seen is told of the calls that open, close and connect descriptors and that move bytes, when they
	// have ended. nil: nobody is told.
	Seen func(r Result)

	kernel *Kernel
	files  []file // by descriptor; nil: closed
	lowest int    // no descriptor below this one is free
	opened int    // number of open descriptors
}

// Call is a kind of system call.
type Call string

// The calls.
const (
	CallSocket   Call = "socket"
	CallBind     Call = "bind"
	CallListen   Call = "listen"
	CallAccept   Call = "accept"
	CallConnect  Call = "connect"
	CallRead     Call = "read"
	CallPeek     Call = "peek"
	CallWrite    Call = "write"
	CallSplice   Call = "splice"
	CallShutdown Call = "shutdown"
	CallClose    Call = "close"
	CallOption   Call = "setsockopt"
	CallUnsent   Call = "ioctl"
	CallInfo     Call = "getsockopt"
	CallName     Call = "getsockname"
	CallPipe     Call = "pipe"
	CallPipeSize Call = "fcntl"
	CallEpoll    Call = "epoll_create"
	CallControl  Call = "epoll_ctl"
	CallWait     Call = "epoll_wait"
	CallEvent    Call = "eventfd"
	CallTimer    Call = "timerfd_create"
	CallSetTimer Call = "timerfd_settime"
	CallDup      Call = "dup"
)

// Process returns a new process. Its first descriptor is 3.
func (k *Kernel) Process(name string) *Process {
	return &Process{Name: name, kernel: k, files: make([]file, standard, 16), lowest: standard}
}

// Kernel returns the machine of the process.
func (p *Process) Kernel() *Kernel { return p.kernel }

// file is an open file description. Several descriptors may refer to one.
type file interface {
	// poll returns the events of epoll that are present now.
	poll() uint32
	// refs returns the record of who refers to the file.
	refs() *references
	// release is called when the last descriptor is closed.
	release()
}

// references are the descriptors and the epoll registrations of a file. Every file embeds one.
type references struct {
	open  int      // descriptors
	items []*item  // registrations with epoll instances, see epoll.go
	owner *Process // that has opened it; nil: none has
}

func (r *references) refs() *references { return r }

// standard is the number of descriptors 0, 1, 2, which no call returns.
const standard = 3

// install gives the file the lowest free descriptor, or returns EMFILE.
func (p *Process) install(f file) (int, Errno) {
	fd := p.lowest
	for fd < len(p.files) && p.files[fd] != nil {
		fd++
	}
	if p.Limit > 0 && fd >= p.Limit {
		return -1, unix.EMFILE
	}
	if fd == len(p.files) {
		p.files = append(p.files, nil)
	}
	p.files[fd], p.lowest = f, fd+1
	p.opened++
	r := f.refs()
	r.open++
	if r.owner == nil {
		r.owner = p
	}
	return fd, 0
}

// open gives a new file a descriptor, unless a fault or the limit prevents it. c is the call for it.
func (p *Process) open(c Call, f file) (fd int, e Errno) {
	if e = p.fault(c); e == 0 {
		fd, e = p.install(f)
	}
	if e != 0 {
		fd = -1
	}
	p.tell(Result{Call: c, Fd: fd, Errno: e})
	if p.traced() {
		p.trace("%s = %s", c, outcome(fd, e))
	}
	return fd, e
}

// room reports whether n more descriptors may be opened.
func (p *Process) room(n int) bool { return p.Limit == 0 || standard+p.opened+n <= p.Limit }

// get returns the file of a descriptor. A descriptor that is not open gives EBADF.
func (p *Process) get(c Call, fd int) (file, Errno) {
	if fd < 0 || fd >= len(p.files) || p.files[fd] == nil {
		if p.Strict {
			p.kernel.Violate("%s: %s on descriptor %d, which is not open", p.Name, c, fd)
		}
		return nil, unix.EBADF
	}
	return p.files[fd], 0
}

// Open returns the number of open descriptors.
func (p *Process) Open() int { return p.opened }

// Close closes a descriptor.
func (p *Process) Close(fd int) Errno {
	f, e := p.get(CallClose, fd)
	if e != 0 {
		return e
	}
	p.done(CallClose, fd, 0, 0)
	p.files[fd], p.lowest = nil, min(p.lowest, fd)
	p.opened--
	r := f.refs()
	if r.open--; r.open == 0 {
		forgetItems(f)
		f.release()
		p.kernel.settle()
	}
	return 0
}

// Exit closes all descriptors.
func (p *Process) Exit() {
	for fd, f := range p.files {
		if f != nil {
			p.Close(fd)
		}
	}
}

// Poll returns the events of epoll that are present on a descriptor now.
func (p *Process) Poll(fd int) uint32 {
	f, e := p.get(CallWait, fd)
	if e != 0 {
		return 0
	}
	return f.poll()
}

// Dup returns another descriptor of the same open file (dup(2)).
func (p *Process) Dup(fd int) (int, Errno) {
	f, e := p.get(CallDup, fd)
	if e != 0 {
		return -1, e
	}
	if e := p.fault(CallDup); e != 0 {
		return -1, e
	}
	copied, e := p.install(f)
	p.done(CallDup, fd, copied, e)
	return copied, e
}
