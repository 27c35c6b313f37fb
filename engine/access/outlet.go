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

// outlet is an open destination. Its carrier's goroutine owns it.
type outlet interface {
	// send brings a batch out, noting in it what is out, and tells fail of each
	// line that can never be sent. An error means: try the rest again later.
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

// checkOutlet says why openOutlet would fail, where that is known before
// anything is opened.
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

// appendable says why a file can't be written to, or not be made.
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

// destination names what a target writes to; equal names mean the same.
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

// unixName is a socket's name as package net writes it, @ for an abstract one.
func unixName(a conf.Address) string {
	if a.Net == conf.NetAbstract {
		return "@" + a.Path
	}
	return a.Path
}
