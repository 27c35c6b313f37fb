package main

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// link is one end of the connection between a master and its worker: a socket pair that keeps the
// bounds of messages. It ends when the other process ends.
type link struct{ *net.UnixConn }

// What a worker may say to its master. A number follows sayReload and sayCompare.
const (
	sayReady   = "ready"    // the worker serves clients
	sayDone    = "done"     // the bundle is in use, or was compared
	sayRefused = "refused"  // the bundle is not in use
	sayReload  = "reload "  // a reload is wanted; the number counts requests
	sayCompare = "compare " // a comparison is wanted
)

// What a master says to its worker after sayDone, when it has done its own part of a reload.
const (
	sayWarning   = "warning "  // a warning for the report of the reload follows
	sayCommitted = "committed" // there is nothing more
)

// The maximum lengths in bytes of what a worker and a master may say.
const (
	longestWord    = 32
	longestWarning = 4096
)

// mostRights is the number of descriptors in one message; the kernel allows 253 (SCM_MAX_FD).
const mostRights = 250

// seals make the content of a bundle final.
const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE

// newLink returns both ends of a connection. The other process inherits the file.
func newLink() (link, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return link{}, nil, os.NewSyscallError("socketpair", err)
	}
	far := os.NewFile(uintptr(fds[1]), "worker's end")
	near, err := linkOf(fds[0])
	if err != nil {
		far.Close()
	}
	return near, far, err
}

// linkOf makes a link of a descriptor, and closes the descriptor.
func linkOf(fd int) (link, error) {
	f := os.NewFile(uintptr(fd), "link")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return link{}, err
	}
	l, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return link{}, errors.New("not a UNIX socket")
	}
	return link{l}, nil
}

// say sends a word.
func (l link) say(word string) error {
	_, err := l.Write([]byte(word))
	return err
}

// hear returns the next word of the other process, of which the kernel cuts off what is longer than
// longest. It also closes descriptors that come with a word. An error says that the other process has
// ended.
func (l link) hear(longest int) (string, error) {
	b := make([]byte, longest)
	n, err := l.Read(b)
	return string(b[:n]), err
}

// sayCommit tells the worker that the master has done its part of a reload, with these warnings.
func (l link) sayCommit(warnings []string) error {
	for _, text := range warnings {
		word := sayWarning + text
		if err := l.say(word[:min(len(word), longestWarning)]); err != nil {
			return err
		}
	}
	return l.say(sayCommitted)
}

// hearCommit waits until the master has done its part of a reload, and returns its warnings.
func (l link) hearCommit() (warnings []string, _ error) {
	for {
		word, err := l.hear(longestWarning)
		if err != nil || word == sayCommitted {
			return warnings, err
		}
		text, ok := strings.CutPrefix(word, sayWarning)
		if !ok {
			return nil, fmt.Errorf("the master process says %.32q, wanted %q", word, sayCommitted)
		}
		warnings = append(warnings, text)
	}
}

// send sends a bundle with descriptors, which stay open here.
func (l link) send(b *bundle, fds []int) error {
	sealed, err := b.seal()
	if err != nil {
		return err
	}
	defer sealed.Close()
	if err := l.pass([]int{int(sealed.Fd())}); err != nil {
		return err
	}
	for len(fds) > 0 {
		n := min(len(fds), mostRights)
		if err := l.pass(fds[:n]); err != nil {
			return err
		}
		fds = fds[n:]
	}
	return nil
}

// pass sends descriptors in one message, with their number as its text.
func (l link) pass(fds []int) error {
	_, _, err := l.WriteMsgUnix(fmt.Append(nil, len(fds)), unix.UnixRights(fds...), nil)
	return err
}

// seal returns an unnamed file in memory with the bundle, which nobody can change.
func (b *bundle) seal() (*os.File, error) {
	fd, err := unix.MemfdCreate("sluice-bundle", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "bundle")
	w := bufio.NewWriter(f)
	err = errors.Join(gob.NewEncoder(w).Encode(b), w.Flush())
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("bundle of the configuration: %w", err)
	}
	return f, nil
}

// receive waits for the next bundle and returns it with its descriptors. The error says that no
// bundle can come any more; io.EOF: the master has ended. If descriptors did not arrive, the bundle
// has an error.
func (l link) receive() (*bundle, []int, error) {
	sealed, err := l.accept()
	if err != nil {
		return nil, nil, err
	}
	if len(sealed) != 1 {
		closeAll(sealed)
		return nil, nil, fmt.Errorf("got %d descriptors from the master process, wanted a bundle", len(sealed))
	}
	b, err := unseal(sealed[0])
	if err != nil {
		return nil, nil, err
	}
	var fds []int
	wanted := b.Sockets + len(b.Logs)
	for left := wanted; left > 0; left -= mostRights {
		some, err := l.accept()
		if err != nil {
			closeAll(fds)
			return nil, nil, err
		}
		fds = append(fds, some...)
	}
	if len(fds) != wanted {
		closeAll(fds)
		b.Error = fmt.Sprintf("got %d descriptors from the master process, wanted %d: is the limit of open files used up?", len(fds), wanted)
		return b, nil, nil
	}
	return b, fds, nil
}

// accept returns the descriptors of one message. Those for which this process has no room are
// missing.
func (l link) accept() (fds []int, err error) {
	text, rights := make([]byte, longestWord), make([]byte, unix.CmsgSpace(mostRights*4))
	n, size, _, _, err := l.ReadMsgUnix(text, rights)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, io.EOF
	}
	all, err := unix.ParseSocketControlMessage(rights[:size])
	if err != nil {
		return nil, err
	}
	for i := range all {
		some, err := unix.ParseUnixRights(&all[i])
		if err != nil {
			return nil, err
		}
		fds = append(fds, some...)
	}
	return fds, nil
}

// unseal reads a bundle and closes its descriptor.
func unseal(fd int) (*bundle, error) {
	f := os.NewFile(uintptr(fd), "bundle")
	defer f.Close()
	set, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0)
	if err != nil || set&seals != seals {
		return nil, errors.New("the bundle of the master process is not sealed")
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := &bundle{}
	return b, gob.NewDecoder(bufio.NewReader(io.NewSectionReader(f, 0, info.Size()))).Decode(b)
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}
