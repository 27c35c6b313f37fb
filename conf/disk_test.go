package conf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestDiskRefusesSpecialFiles(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, fifo, "/dev/zero", "/dev/tty"} {
		if _, err := (Disk{}).ReadFile(path); !errors.Is(err, ErrSpecial) {
			t.Errorf("%s: %v, want ErrSpecial", path, err)
		}
		if _, err := (Disk{}).Open(path); !errors.Is(err, ErrSpecial) {
			t.Errorf("open %s: %v, want ErrSpecial", path, err)
		}
	}
	if data, err := (Disk{}).ReadFile(os.DevNull); err != nil || len(data) > 0 {
		t.Errorf("%s: %q, %v", os.DevNull, data, err)
	}
}

// A FIFO that takes the place of a file at any moment does not block.
func TestDiskDoesNotWaitForAFIFOThatComesLate(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "path"), filepath.Join(dir, "other")
	if err := errors.Join(os.WriteFile(path, []byte("text"), 0o600), unix.Mkfifo(other, 0o600)); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Renameat2(unix.AT_FDCWD, path, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE)
			}
		}
	}()
	over := make(chan error, 1)
	go func() {
		for read, refused := 0, 0; read < 1000 || refused < 1000; {
			data, err := (Disk{}).ReadFile(path)
			switch {
			case err == nil && string(data) == "text":
				read++
			case errors.Is(err, ErrSpecial):
				refused++
			case err == nil:
				err = fmt.Errorf("read %q", data)
				fallthrough
			default:
				over <- err
				return
			}
		}
		over <- nil
	}()
	select {
	case err := <-over:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("it still waits for the FIFO")
	}
}

// endless is a text without an end that repeats a piece, and counts what was read.
type endless struct {
	piece string
	read  int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e.piece) <= len(p) {
		n += copy(p[n:], e.piece)
	}
	e.read += n
	return n, nil
}

func TestReadTextHasLimits(t *testing.T) {
	whole := strings.Repeat(strings.Repeat("x", longestTextLine)+"\n", 3)
	if got, err := ReadText(strings.NewReader(whole)); string(got) != whole || err != nil {
		t.Errorf("lines of %d bytes: got %d bytes, %v", longestTextLine, len(got), err)
	}
	const want = "line 3 has more than 1048576 bytes, wanted at most 1048576"
	for _, end := range []string{"", "\n", "\nmore"} {
		text := "a\n\n" + strings.Repeat("x", longestTextLine+1) + end
		if _, err := ReadText(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("end %q: %v, want %s", end, err, want)
		}
	}
	zero := &endless{piece: "\x00"}
	if _, err := ReadText(zero); err == nil || zero.read > 3*longestTextLine {
		t.Errorf("zeros: %v after %d bytes", err, zero.read)
	}
	lines := &textReader{from: &endless{piece: strings.Repeat("x", 99) + "\n"}}
	if n, err := io.Copy(io.Discard, lines); err == nil || err.Error() != withinLimit(n).Error() || n > largestFile+1<<20 {
		t.Errorf("lines without an end: %v after %d bytes", err, n)
	}
}

// A file that is too large is refused before it is read. Here it has a hole in place of content.
func TestDiskRefusesALargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hole")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, largestFile+1)); err != nil {
		t.Fatal(err)
	}
	const want = "has 1073741825 bytes or more, wanted at most 1073741824"
	if _, err := (Disk{}).ReadFile(path); err == nil || cause(err).Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
