package engine

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// child is a balancer in a process of its own, for faults that hit a whole
// process.
type child struct {
	*player
	*balancer // for its connection log and its clients; it has no Engine
	own       string
}

// startChild runs the configuration with that many file descriptors, by the
// command of another program if one is given.
func startChild(t *testing.T, by []string, fds int, cfg string) *child {
	t.Helper()
	b := &balancer{t: t, addrs: map[string]net.Addr{}, lines: make(chan string, 1<<16)}
	dir := t.TempDir()
	file, own := filepath.Join(dir, "child.cfg"), filepath.Join(dir, "own.log")
	text := "global\n  nbthread 2\n" + b.logTarget(t) + cfg
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, at := castBy(t, by, "balancer", file, strconv.Itoa(fds), own)
	b.addrs["f"] = addrOf(t, at)
	return &child{player: p, balancer: b, own: own}
}

func addrOf(t *testing.T, at string) net.Addr {
	t.Helper()
	if strings.HasPrefix(at, "/") {
		return &net.UnixAddr{Net: "unix", Name: at}
	}
	addr, err := net.ResolveTCPAddr("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// pid of the balancer itself, where it is not run by another program.
func (c *child) pid() int { return c.cmd.Process.Pid }

// complaints returns the lines of the child's own log with a text in them.
func (c *child) complaints(text string) (n int) {
	all, err := os.ReadFile(c.own)
	if err != nil {
		c.player.t.Fatal(err)
	}
	for line := range strings.Lines(string(all)) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// cpu returns the processor time that the child has used, in ticks of 10 ms.
func (c *child) cpu() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.pid()))
	if err != nil {
		c.player.t.Fatal(err)
	}
	fields := strings.Fields(string(text)[strings.LastIndexByte(string(text), ')')+1:])
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return user + system
}
