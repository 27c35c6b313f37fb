package kernel

import "golang.org/x/sys/unix"

// unixSocket is a stream socket.
type unixSocket struct {
	references
	kernel *Kernel
}

func (k *Kernel) newUnix() *unixSocket { return &unixSocket{kernel: k} }

func (s *unixSocket) poll() uint32                             { return 0 }
func (s *unixSocket) release()                                 {}
func (s *unixSocket) bind(Address) Errno                       { return unix.ENOSYS }
func (s *unixSocket) listen(int) Errno                         { return unix.ENOSYS }
func (s *unixSocket) accept() (socket, Address, Errno)         { return nil, Address{}, unix.ENOSYS }
func (s *unixSocket) connect(Address) Errno                    { return unix.ENOSYS }
func (s *unixSocket) read(b []byte) (int, Errno)               { return s.recv(b, 0) }
func (s *unixSocket) write(b []byte) (int, Errno)              { return s.send(b, 0, Address{}) }
func (s *unixSocket) recv([]byte, int) (int, Errno)            { return -1, unix.ENOSYS }
func (s *unixSocket) send([]byte, int, Address) (int, Errno)   { return -1, unix.ENOSYS }
func (s *unixSocket) shutdown(int) Errno                       { return unix.ENOSYS }
func (s *unixSocket) local() Address                           { return Address{} }
func (s *unixSocket) peer() (Address, Errno)                   { return Address{}, unix.ENOTCONN }
func (s *unixSocket) setOption(level, name, value int) Errno   { return 0 }
func (s *unixSocket) unsent() (int, Errno)                     { return 0, 0 }
func (s *unixSocket) info() (Info, Errno)                      { return Info{}, 0 }
func (s *unixSocket) spliceOut(n, slots int) ([][]byte, Errno) { return nil, unix.ENOSYS }
func (s *unixSocket) spliceIn(b []byte) (int, Errno)           { return s.send(b, 0, Address{}) }
