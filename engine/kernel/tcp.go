package kernel

import "golang.org/x/sys/unix"

// tcp is a stream socket.
type tcp struct {
	references
	kernel *Kernel
}

func (k *Kernel) newTCP(six bool) *tcp { return &tcp{kernel: k} }

func (s *tcp) poll() uint32                             { return 0 }
func (s *tcp) release()                                 {}
func (s *tcp) bind(Address) Errno                       { return unix.ENOSYS }
func (s *tcp) listen(int) Errno                         { return unix.ENOSYS }
func (s *tcp) accept() (socket, Address, Errno)         { return nil, Address{}, unix.ENOSYS }
func (s *tcp) connect(Address) Errno                    { return unix.ENOSYS }
func (s *tcp) read(b []byte) (int, Errno)               { return s.recv(b, 0) }
func (s *tcp) write(b []byte) (int, Errno)              { return s.send(b, 0, Address{}) }
func (s *tcp) recv([]byte, int) (int, Errno)            { return -1, unix.ENOSYS }
func (s *tcp) send([]byte, int, Address) (int, Errno)   { return -1, unix.ENOSYS }
func (s *tcp) shutdown(int) Errno                       { return unix.ENOSYS }
func (s *tcp) local() Address                           { return Address{} }
func (s *tcp) peer() (Address, Errno)                   { return Address{}, unix.ENOTCONN }
func (s *tcp) setOption(level, name, value int) Errno   { return 0 }
func (s *tcp) unsent() (int, Errno)                     { return 0, 0 }
func (s *tcp) info() (Info, Errno)                      { return Info{}, 0 }
func (s *tcp) spliceOut(n, slots int) ([][]byte, Errno) { return nil, unix.ENOSYS }
func (s *tcp) spliceIn(b []byte) (int, Errno)           { return s.send(b, 0, Address{}) }
