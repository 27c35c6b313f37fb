package kernel

// Prefer makes a listening socket get the connections of its SO_REUSEPORT group. If fd is negative, one
// with a full accept queue gets them.
func (p *Process) Prefer(fd int) {
	p.kernel.net.ports.prefer = func(s *tcp) bool {
		if fd < 0 {
			return s.isFull()
		}
		return p.files[fd] == file(s)
	}
}
