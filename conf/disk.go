package conf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// The limits of each file of a configuration. They are far above those of real files, and keep a file
// without an end from using up all memory.
const (
	largestFile     = 1 << 30 // bytes
	longestTextLine = 1 << 20 // bytes, without the line feed
)

// ErrSpecial is the error of [Disk] for a directory, FIFO, socket or device.
var ErrSpecial = errors.New("is no regular file")

// Disk opens the regular files of this machine. Unlike an ordinary fs.FS it takes the paths of the
// operating system, as a configuration names them: absolute, or relative to the working directory.
//
// It refuses all other files without waiting for them: to open a FIFO may take for ever, and so may
// reading a device.
type Disk struct{}

// Open opens a regular file for reading.
func (Disk) Open(path string) (fs.File, error) { return openRegular(path) }

// Stat describes a file without opening it.
func (Disk) Stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

// ReadFile reads a whole file within the limits of [ReadText]. It reads /dev/null as an empty file.
func (Disk) ReadFile(path string) ([]byte, error) {
	if path == os.DevNull {
		return nil, nil
	}
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := withinLimit(info.Size()); err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return ReadText(f)
}

// openRegular asks twice. The first question keeps it from opening a device, which may have an effect.
// The second one is about the file that is open, because another may have taken its place meanwhile.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	special := &fs.PathError{Op: "open", Path: path, Err: ErrSpecial}
	if !info.Mode().IsRegular() {
		return nil, special
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(err, special)
	}
	return f, nil
}

// ReadText reads a text to its end. After more than 1 GiB, or more than 1 MiB without a line feed, it
// returns an error and reads no more.
func ReadText(from io.Reader) ([]byte, error) {
	return io.ReadAll(&textReader{from: from})
}

// textReader returns an error where a text exceeds a limit.
type textReader struct {
	from   io.Reader
	size   int64 // bytes read
	lines  int   // complete lines
	length int   // bytes of the line that is not complete
}

func (t *textReader) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	if exceeded := t.count(p[:n]); exceeded != nil {
		return n, exceeded
	}
	return n, err
}

func (t *textReader) count(text []byte) error {
	t.size += int64(len(text))
	for {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			t.length += len(text)
			return errors.Join(withinLimit(t.size), t.lineWithinLimit())
		}
		t.length += end
		if err := t.lineWithinLimit(); err != nil {
			return err
		}
		t.lines, t.length, text = t.lines+1, 0, text[end+1:]
	}
}

func (t *textReader) lineWithinLimit() error {
	if t.length <= longestTextLine {
		return nil
	}
	return fmt.Errorf("line %d has more than %d bytes, wanted at most %[2]d", t.lines+1, longestTextLine)
}

func withinLimit(size int64) error {
	if size <= largestFile {
		return nil
	}
	return fmt.Errorf("has %d bytes or more, wanted at most %d", size, int64(largestFile))
}
