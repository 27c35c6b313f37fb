package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"sluice/engine"
)

// What the child of a daemon finds: the pipe to say "ready" on, its parent's
// listening sockets after it, and in the environment which is which.
const (
	readyFD         = 3
	firstListenerFD = 4
	listenersEnv    = "SLUICE_LISTENERS"
	ready           = "ready"
)

// detach starts this program again in a session of its own, with the listening
// sockets, and returns once the child is ready. What the operator should read,
// also why it could not start, the child says on the stderr they share.
func detach(l *engine.Listeners) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pipe to the daemon: %w", err)
	}
	defer r.Close()
	files, manifest, err := l.Files()
	if err != nil {
		return err
	}
	child := exec.Command("/proc/self/exe", os.Args[1:]...)
	child.Args[0] = os.Args[0] // the log tag is made of it
	child.Env = append(os.Environ(), listenersEnv+"="+manifest)
	child.ExtraFiles = append([]*os.File{w}, files...)
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

// parent is the process a daemon was started by, seen from the child.
type parent struct {
	pipe, null *os.File
	manifest   string
}

// findParent returns nil in a process that nobody detached.
func findParent() (*parent, error) {
	manifest, ok := os.LookupEnv(listenersEnv)
	if !ok {
		return nil, nil
	}
	if err := os.Unsetenv(listenersEnv); err != nil {
		return nil, err
	}
	unix.CloseOnExec(readyFD)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0) // now: the chroot has none
	return &parent{os.NewFile(readyFD, "ready pipe"), null, manifest}, err
}

// release leaves the terminal and lets the parent go.
func (p *parent) release() error {
	if err := os.Chdir("/"); err != nil {
		return err
	}
	for fd := range 3 {
		if err := unix.Dup3(int(p.null.Fd()), fd, 0); err != nil {
			return fmt.Errorf("detach descriptor %d from the terminal: %w", fd, err)
		}
	}
	p.null.Close()
	_, _ = io.WriteString(p.pipe, ready) // a parent killed meanwhile is no reason to stop
	return p.pipe.Close()
}
