package kernel

import "golang.org/x/sys/unix"

// Process is a process with its own table of descriptors.
type Process struct {
	Name  string // name in traces and violations
	Limit int    // maximum number of descriptors, with 0, 1 and 2 (RLIMIT_NOFILE); 0: no limit
	// Strict makes a call on a descriptor that is not open a violation, see Kernel.Violate.
	Strict bool
	// Fault is called before each call of a kind that can fail. If it returns an error that Linux
	// may return for this call, the call fails with it. Other errors have no effect. 0: the call
	// proceeds. nil: no faults.
	Fault func(c Call) Errno
	// Budget is the number of calls that the process may still make; the last one panics. It stops
	// a program that calls without end. 0: no limit.
	Budget int
	// Wakes grows whenever the state of a file that this process has opened changes. While Wakes is
	// unchanged, Poll returns the same events for each of these files.
	Wakes uint64
	// Seen is called after each call that opens, closes or connects descriptors, or that moves
	// bytes. For Close it is called before the descriptor is freed. nil: no calls.
	Seen func(r Result)

	kernel *Kernel
	files  []file // index: descriptor; nil: the descriptor is not open
	lowest int    // no descriptor below this one is free
	opened int    // number of open descriptors
}

// Call is a kind of system call.
type Call string

// The kinds of calls. The value is the name of the Linux call in traces.
const (
	CallSocket   Call = "socket"
	CallBind     Call = "bind"
	CallListen   Call = "listen"
	CallAccept   Call = "accept"
	CallConnect  Call = "connect"
	CallRead     Call = "read"  // Read and Recv
	CallPeek     Call = "peek"  // Recv with MSG_PEEK
	CallWrite    Call = "write" // Write and Send
	CallSplice   Call = "splice"
	CallShutdown Call = "shutdown"
	CallClose    Call = "close"
	CallOption   Call = "setsockopt"  // SetOption
	CallUnsent   Call = "ioctl"       // Unsent: SIOCOUTQ
	CallInfo     Call = "getsockopt"  // Info: TCP_INFO
	CallName     Call = "getsockname" // Local and Peer
	CallPipe     Call = "pipe"
	CallPipeSize Call = "fcntl" // PipeSize: F_SETPIPE_SZ
	CallEpoll    Call = "epoll_create"
	CallControl  Call = "epoll_ctl" // Control
	CallWait     Call = "epoll_wait"
	CallEvent    Call = "eventfd" // Eventfd
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
	// refs returns the descriptors and epoll registrations that refer to the file.
	refs() *references
	// release is called when the last descriptor is closed.
	release()
}

// references are the descriptors and the epoll registrations of a file. Every file embeds one.
type references struct {
	open  int      // number of open descriptors that refer to the file
	items []*item  // registrations with epoll instances, see epoll.go
	owner *Process // the process that has opened the file; nil: no descriptor was ever given
	inode uint64   // see Process.Inode; 0: no descriptor was ever given
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
		p.kernel.inodes++
		r.owner, r.inode = p, p.kernel.inodes
	}
	return fd, 0
}

// open gives a new file a descriptor, unless a fault or the limit prevents it. c is the call that
// opens the file.
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

// room reports whether the limit allows n more descriptors.
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

// Close closes a descriptor (close(2)). EBADF means that it is not open. The file is released with
// its last descriptor.
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

// Inode returns the number of the open file of a descriptor, which no other file gets (fstat(2)). open
// is false if the descriptor is not open.
func (p *Process) Inode(fd int) (inode uint64, open bool) {
	if fd < 0 || fd >= len(p.files) || p.files[fd] == nil {
		return 0, false
	}
	return p.files[fd].refs().inode, true
}

// Poll returns the events of epoll that are present on a descriptor now; 0: none, or the descriptor
// is not open.
func (p *Process) Poll(fd int) uint32 {
	f, e := p.get(CallWait, fd)
	if e != 0 {
		return 0
	}
	return f.poll()
}

// Dup returns another descriptor of the same open file (dup(2)); -1 with an error: EBADF or EMFILE.
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
