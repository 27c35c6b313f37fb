package peer

import (
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strconv"
)

// FloorName is the name of Floor.
const FloorName = "floor"

// Floor is bench/floor: what a relay costs that only makes the system calls.
type Floor struct {
	Bin string
}

// BuildFloor compiles the floor of a repository into dir.
func BuildFloor(root, dir string) (*Floor, error) {
	if _, err := exec.LookPath("gcc"); err != nil {
		return nil, missing("gcc", err, "gcc libc6-dev")
	}
	bin := filepath.Join(dir, "floor")
	source := filepath.Join(root, "bench", "floor", "floor.c")
	out, err := exec.Command("gcc", "-O2", "-pthread", "-o", bin, source).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("gcc: %w: %.400s", err, out)
	}
	return &Floor{bin}, nil
}

// Name is FloorName.
func (f *Floor) Name() string { return FloorName }

// About says what it is.
func (f *Floor) About() string { return "bench/floor/floor.c, gcc -O2" }

// Routes is never true.
func (f *Floor) Routes(Route) bool { return false }

// Command needs no configuration.
func (f *Floor) Command(s Site, bind netip.AddrPort, _ string) (*exec.Cmd, error) {
	port := func(a netip.AddrPort) string { return strconv.Itoa(int(a.Port())) }
	return exec.Command(f.Bin, port(bind), port(s.Servers[0]), strconv.Itoa(Threads)), nil
}
