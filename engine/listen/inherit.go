package listen

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"sluice/conf"
	"sluice/engine/sock"
)

// ErrManifest is returned by Adopt if inherited sockets do not fit the configuration.
var ErrManifest = errors.New("inherited sockets don't fit the configuration")

// Adopt takes over the sockets that another process got from Files, together with manifest. Their
// descriptors are consecutive, from first on. Adopt sets close-on-exec for each. If their number
// does not fit the configuration and loops, Adopt returns ErrManifest and changes no descriptor.
func Adopt(c *conf.Config, loops int, manifest string, first int) (*Sockets, error) {
	s := &Sockets{loops: loops}
	for _, l := range linesOf(c, notResolved) {
		var fds []int
		for range loops {
			fds = append(fds, first)
			first++
		}
		s.binds = append(s.binds, l.with(fds))
	}
	if wanted := s.manifest(); manifest != wanted {
		return nil, fmt.Errorf("%w: the numbers of sockets by bind line are %q, wanted %q", ErrManifest, manifest, wanted)
	}
	for _, b := range s.binds {
		for _, fd := range b.FDs {
			sock.CloseOnExec(fd)
		}
	}
	return s, nil
}

// notResolved is used where the sockets are open already.
func notResolved(host string) (netip.Addr, error) {
	return netip.Addr{}, fmt.Errorf("host name %q was not resolved", host)
}

// Files returns duplicates of the sockets, to pass them to another process in this order. manifest
// is the text that Adopt needs in that process. The caller closes the files, even after an error.
func (s *Sockets) Files() (files []*os.File, manifest string, err error) {
	for _, b := range s.binds {
		for _, fd := range b.FDs {
			dup, e := sock.Duplicate(fd)
			if e != 0 {
				return files, "", os.NewSyscallError("dup", e)
			}
			files = append(files, os.NewFile(uintptr(dup), bindName(b.Conf)))
		}
	}
	return files, s.manifest(), nil
}

// manifest returns the number of sockets of each bind line, separated by commas.
func (s *Sockets) manifest() string {
	var counts []string
	for _, b := range s.binds {
		counts = append(counts, strconv.Itoa(len(b.FDs)))
	}
	return strings.Join(counts, ",")
}
