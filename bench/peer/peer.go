package peer

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
)

// Peer is a proxy in one of its configurations.
type Peer interface {
	// Name is a short word that is used nowhere else in a run.
	Name() string
	// About says which program this is, and how it is configured.
	About() string
	// Routes says whether it can choose by this. A peer that can't sends
	// everything to site A.
	Routes(Route) bool
	// Command writes a configuration into dir and returns what to start.
	Command(s Site, bind netip.AddrPort, dir string) (*exec.Cmd, error)
}

// Direct is no proxy at all: clients reach site A themselves.
type Direct struct{}

// DirectName is the name of Direct.
const DirectName = "direct"

// Name is DirectName.
func (Direct) Name() string { return DirectName }

// About says so.
func (Direct) About() string { return "no proxy" }

// Routes is never true.
func (Direct) Routes(Route) bool { return false }

// Command returns nil: there is nothing to start.
func (Direct) Command(Site, netip.AddrPort, string) (*exec.Cmd, error) { return nil, nil }

// write puts text into a file of dir and returns its path.
func write(dir, name, text string) (string, error) {
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte(text), 0o644)
}
