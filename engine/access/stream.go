package access

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// stream writes lines to a file, to stdout or to stderr. One write sends many lines. After a
// partial write it continues at the next byte.
type stream struct{ file *os.File }

// openFile opens a file to append to. It creates a missing file with mode 0640. A FIFO must already
// have a reader.
func openFile(path string) (*stream, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NONBLOCK, 0o640)
	if err != nil {
		return nil, err
	}
	return &stream{file}, nil
}

// openStd uses a duplicate of the descriptor for two reasons. The original may be closed when the
// process becomes a daemon. Package os also ends a process that writes to descriptor 1 or 2 without
// a reader.
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
