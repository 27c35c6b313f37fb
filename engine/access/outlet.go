package access

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"sluice/conf"
)

// outlet is an open destination. The goroutine of its carrier owns it.
type outlet interface {
	// send sends a batch and records in it which bytes were sent. It calls fail for each line that
	// can never be sent. An error means that the rest must be tried again later.
	send(b *batch, fail func(error)) error
	close()
}

// openOutlet opens the destination of a target.
func openOutlet(t conf.LogTarget) (outlet, error) {
	switch t.Kind {
	case conf.LogUDP:
		return openUDP(t.Address)
	case conf.LogUnix:
		return openUnix(unixName(t.Address)), nil
	case conf.LogStdout:
		return openStd(1, "stdout")
	case conf.LogStderr:
		return openStd(2, "stderr")
	case conf.LogFile:
		return openFile(t.Path)
	}
	return nil, fmt.Errorf("unknown kind %d", t.Kind)
}

// checkOutlet returns the error with which openOutlet would fail, if it is known before opening.
func checkOutlet(t conf.LogTarget, lookUp func(host string) (netip.Addr, error)) error {
	switch t.Kind {
	case conf.LogUDP:
		if t.Address.IP.IsValid() {
			return nil
		}
		_, err := lookUp(t.Address.Host)
		return err
	case conf.LogFile:
		return appendable(t.Path)
	}
	return nil
}

// appendable returns an error if the file cannot be written or created.
func appendable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return faultOf(filepath.Dir(path), unix.Access(filepath.Dir(path), unix.W_OK|unix.X_OK))
	case err != nil:
		return err
	case info.IsDir():
		return faultOf(path, unix.EISDIR)
	}
	return faultOf(path, unix.Access(path, unix.W_OK))
}

func faultOf(path string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: "open", Path: path, Err: err}
}

// destination returns the name of a target's destination. Equal names mean the same destination.
func destination(t conf.LogTarget) string {
	switch t.Kind {
	case conf.LogUDP:
		return hostPort(t.Address)
	case conf.LogUnix:
		return unixName(t.Address)
	case conf.LogStdout:
		return "stdout"
	case conf.LogStderr:
		return "stderr"
	}
	return "file@" + t.Path
}

func hostPort(a conf.Address) string {
	host := a.Host
	if a.IP.IsValid() {
		host = a.IP.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(a.Port)))
}

// unixName returns the name of a socket as package net writes it. An abstract name begins with @.
func unixName(a conf.Address) string {
	if a.Net == conf.NetAbstract {
		return "@" + a.Path
	}
	return a.Path
}
