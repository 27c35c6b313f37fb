package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/listen"
)

// The descriptors of a daemon's child beside 0 to 2: the pipe to say "ready"
// on, then the stats sockets and the listening sockets that the parent passes.
// The environment contains the number of listening sockets of each bind line.
const (
	readyFD      = 3
	passedFD     = 4
	listenersEnv = "SLUICE_LISTENERS"
	ready        = "ready"
)

// detach starts this program again in a session of its own, with the listening
// sockets, and returns once the child is ready. The child shares the parent's
// stderr until then, and writes an error there if it cannot start. The child
// reads stdin on its standard input.
func detach(c *conf.Config, l *listen.Sockets, stdin []byte) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pipe to the daemon: %w", err)
	}
	defer r.Close()
	files, manifest, err := l.Files()
	if err != nil {
		return err
	}
	if err := keepFromChildren(); err != nil {
		return err
	}
	child := exec.Command("/proc/self/exe", os.Args[1:]...)
	child.Args[0] = os.Args[0] // the log tag is derived from it
	child.Env = append(os.Environ(), listenersEnv+"="+manifest)
	child.ExtraFiles = []*os.File{w}
	for _, fd := range inheritedStats(c) {
		child.ExtraFiles = append(child.ExtraFiles, os.NewFile(uintptr(fd), "stats socket"))
	}
	child.ExtraFiles = append(child.ExtraFiles, files...)
	child.Stdin = bytes.NewReader(stdin)
	child.Stderr = os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	w.Close()
	if said, _ := io.ReadAll(r); string(said) == ready {
		return nil
	}
	return fmt.Errorf("the daemon ended before it was ready: %w", child.Wait())
}

// keepFromChildren marks every descriptor to be closed in a child, also those
// that the parent inherited itself: a daemon that kept them would hold its
// caller's files, locks and pipes for as long as it lives.
func keepFromChildren() error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range open {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > int(os.Stderr.Fd()) {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// parent is the child's view of the process that started it as a daemon.
type parent struct {
	pipe, null *os.File
	manifest   string
	next       int // the descriptor of the next inherited stats socket
}

// findParent returns the process that started this one with detach, or nil if the user started
// this one.
func findParent() (*parent, error) {
	manifest, ok := os.LookupEnv(listenersEnv)
	if !ok {
		return nil, nil
	}
	if err := os.Unsetenv(listenersEnv); err != nil {
		return nil, err
	}
	unix.CloseOnExec(readyFD)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0) // opened now, because the chroot has no /dev/null
	return &parent{os.NewFile(readyFD, "ready pipe"), null, manifest, passedFD}, err
}

// statsSocket returns s with the descriptor that p inherited for it. It is called
// once for each stats socket, in the order of the configuration. p may be nil.
func (p *parent) statsSocket(s conf.StatsSocket) conf.StatsSocket {
	if p != nil && s.Address.Net == conf.NetFD {
		s.Address.FD = p.next
		p.next++
	}
	return s
}

// listeners returns the listening sockets that p has passed. Without p it opens them.
func (p *parent) listeners(c *conf.Config, loops int) (*listen.Sockets, error) {
	if p == nil {
		return openSockets(c, loops)
	}
	return listen.Adopt(c, loops, p.manifest, passedFD+len(inheritedStats(c)))
}

// release detaches the process from its terminal and tells the parent to end.
func (p *parent) release() error {
	if err := leaveTerminal(p.null); err != nil {
		return err
	}
	p.null.Close()
	_, _ = io.WriteString(p.pipe, ready) // the daemon goes on if its parent was killed
	return p.pipe.Close()
}

// leaveTerminal leaves the directory of the start, and replaces descriptors 0 to 2 by null.
func leaveTerminal(null *os.File) error {
	if err := os.Chdir("/"); err != nil {
		return err
	}
	for fd := range 3 {
		if err := unix.Dup3(int(null.Fd()), fd, 0); err != nil {
			return fmt.Errorf("detach descriptor %d from the terminal: %w", fd, err)
		}
	}
	return nil
}
