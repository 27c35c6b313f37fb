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

// Floor is the relay bench/floor. It makes only the necessary system calls, so its cost is the
// lowest possible cost of a relay.
type Floor struct {
	Bin string
}

// BuildFloor compiles bench/floor in the repository root and puts the program into dir.
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

// Name returns FloorName.
func (f *Floor) Name() string { return FloorName }

// About returns the source and the compiler.
func (f *Floor) About() string { return "bench/floor/floor.c, gcc -O2" }

// Routes returns false: the floor reads no bytes.
func (f *Floor) Routes(Route) bool { return false }

// Command returns the command. The floor has no configuration file.
func (f *Floor) Command(s Site, bind netip.AddrPort, _ string) (*exec.Cmd, error) {
	port := func(a netip.AddrPort) string { return strconv.Itoa(int(a.Port())) }
	return exec.Command(f.Bin, port(bind), port(s.Servers[0]), strconv.Itoa(Threads)), nil
}
