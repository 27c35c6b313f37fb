package access

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// stream writes lines one after the other: to a file, to stdout or stderr.
// Many lines go out in one write. What did not fit is continued at its byte.
type stream struct{ file *os.File }

// openFile appends to a file of that name, made with mode 0640. A FIFO needs a
// reader that is already there.
func openFile(path string) (*stream, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NONBLOCK, 0o640)
	if err != nil {
		return nil, err
	}
	return &stream{file}, nil
}

// openStd works on a duplicate: the original may be closed when the process
// becomes a daemon, and package os ends a process whose stdout has no reader.
func openStd(fd int, name string) (*stream, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("duplicate %s: %w", name, err)
	}
	return &stream{os.NewFile(uintptr(dup), name)}, nil
}

func (s *stream) send(b *batch, _ func(error)) error {
	n, err := s.file.Write(b.buf[b.sent:])
	b.advance(n)
	return err
}

func (s *stream) close() { s.file.Close() }
