package kernel

import "golang.org/x/sys/unix"

// Pipe opens a non-blocking pipe of 16 slots (pipe2(2)).
func (p *Process) Pipe() (r, w int, e Errno) { return -1, -1, unix.ENOSYS }

// PipeSize changes the size of a pipe in bytes.
func (p *Process) PipeSize(fd, size int) (int, Errno) { return -1, unix.ENOSYS }
