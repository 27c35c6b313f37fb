//go:build !simulation

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

// child is a balancer in a separate process, for faults that affect a whole process.
type child struct {
	*player
	*balancer // for its log of connections and its clients; it has no Engine
	own       string
}

// startChild runs the configuration with this many file descriptors. If by is given, it is a
// command that runs the child.
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

// pid returns the process of the balancer. It is only valid if no other program runs the child.
func (c *child) pid() int { return c.cmd.Process.Pid }

// complaints returns the number of lines of the process log that contain text.
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
