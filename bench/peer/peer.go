package peer

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
)

// Peer is a proxy with one configuration.
type Peer interface {
	// Name returns a short name that no other peer of a run has.
	Name() string
	// About returns a description: the program, its version and its configuration.
	About() string
	// Routes reports whether the proxy can choose a site by this Route. A proxy that cannot
	// sends all connections to site A.
	Routes(Route) bool
	// Command writes a configuration into dir and returns the command to start. The proxy must
	// listen on bind.
	Command(s Site, bind netip.AddrPort, dir string) (*exec.Cmd, error)
}

// Direct is the Peer for connections without a proxy: clients connect to site A.
type Direct struct{}

// DirectName is the name of Direct.
const DirectName = "direct"

// Name returns DirectName.
func (Direct) Name() string { return DirectName }

// About returns "no proxy".
func (Direct) About() string { return "no proxy" }

// Routes returns false.
func (Direct) Routes(Route) bool { return false }

// Command returns nil, because there is nothing to start.
func (Direct) Command(Site, netip.AddrPort, string) (*exec.Cmd, error) { return nil, nil }

// write puts text into a file of dir and returns its path.
func write(dir, name, text string) (string, error) {
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte(text), 0o644)
}
