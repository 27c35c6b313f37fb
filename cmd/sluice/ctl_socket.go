package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/conf"
)

// statsSocket is the stats socket of another process, as flags name it.
type statsSocket struct {
	name  string      // an address as in `stats socket`; empty: look into files
	files configFiles // configuration with the stats socket
}

func (s *statsSocket) flags(c *cobra.Command) {
	f := c.PersistentFlags()
	f.StringVarP(&s.name, "socket", "s", "", "stats `SOCKET`: a path, abns@NAME or HOST:PORT")
	f.StringArrayVarP(&s.files.paths, "file", "f", nil, "configuration `FILE` that has the stats socket, if there is no -s; may be repeated")
}

// levels are the levels of stats sockets, from the lowest.
var levels = []string{"user", "operator", "admin"}

// address returns the address of -s, or that of the socket in the files with the highest level. The
// files may have errors: an operator wants to reload them to see these.
func (s *statsSocket) address() (string, error) {
	if s.name != "" {
		return s.name, nil
	}
	if len(s.files.paths) == 0 {
		return "", errors.New("no stats socket: wanted -s SOCKET, or -f FILE with a 'stats socket'")
	}
	sources, err := s.files.open(conf.Disk{}.ReadFile)
	if err != nil {
		return "", err
	}
	c, _ := conf.Draft(conf.Disk{}, sources...)
	best := -1
	address := ""
	for _, one := range c.Global.StatsSockets {
		level := slices.Index(levels, one.Level)
		if one.Address.Net != conf.NetFD && level > best { // a descriptor has its meaning in the process only
			best, address = level, one.Address.String()
		}
	}
	if address == "" {
		return "", fmt.Errorf("%s has no 'stats socket' with a path or an address, wanted one, or -s SOCKET", s.files.String())
	}
	return address, nil
}

// dialTime is the maximum time to connect to a stats socket.
const dialTime = 10 * time.Second

var errNoAnswer = errors.New("the process has closed the connection without an answer; it may be stopping")

// sendCommand sends a command to the stats socket at an address and returns the answer, without the empty
// line at its end. There is no time limit: a reload may wait for a resolver.
func sendCommand(address, command string) (string, error) {
	network, address := endpoint(address)
	conn, err := net.DialTimeout(network, address, dialTime)
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return "", op.Err // the address is in the message already
	}
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", err
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	if err == nil && len(answer) == 0 {
		err = errNoAnswer
	}
	return strings.TrimSuffix(string(answer), "\n"), err
}

// endpoint returns an address of a configuration in the form of package net.
func endpoint(address string) (network, text string) {
	if name, ok := strings.CutPrefix(address, "abns@"); ok {
		return "unix", abstract(name)
	}
	if path, ok := strings.CutPrefix(address, "unix@"); ok {
		return "unix", path
	}
	if strings.Contains(address, "/") || !strings.Contains(address, ":") {
		return "unix", address
	}
	return "tcp", strings.TrimPrefix(address, "*") // without a host, the kernel connects to this machine
}

// abstract returns the name of an abstract socket, filled with zero bytes as HAProxy does.
func abstract(name string) string {
	const size = 108 // of sun_path, the byte before the name included
	return "@" + name + strings.Repeat("\x00", max(size-1-len(name), 0))
}
