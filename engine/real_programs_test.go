//go:build !simulation

package engine

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// debian contains Debian's package for each program. The Makefile's PACKAGES must contain them
// too.
var debian = map[string]string{
	"curl": "curl", "haproxy": "haproxy", "openssl": "openssl", "nginx": "nginx", "/usr/bin/python3": "python3-eventlet",
	"redis-server": "redis-server", "redis-cli": "redis-tools", "redis-benchmark": "redis-tools", "node": "nodejs", "wrk": "wrk", "ab": "apache2-utils",
}

// find returns the path of a program. It fails the test if the program is missing, because the
// test would be useless without it.
func find(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil {
		t.Fatalf("%s is not installed: apt-get install %s", name, debian[name])
	}
	return path
}

// tool runs a program with input until it ends, and returns its output.
func tool(t *testing.T, input, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patienceOfTests)
	defer cancel()
	cmd := exec.CommandContext(ctx, find(t, name), args...)
	cmd.Stdin = strings.NewReader(input)
	var said, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v: %s%s", name, strings.Join(args, " "), err, &said, &complaints)
	}
	return said.String()
}

// program is a server process of another project. It is stopped at the end of the test.
type program struct {
	t    *testing.T
	name string
	mu   sync.Mutex
	said bytes.Buffer // guarded by mu
}

// Write stores the program's output.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}

func (p *program) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// background starts a program.
func background(t *testing.T, name string, args ...string) *program {
	t.Helper()
	p := &program{t: t, name: name}
	cmd := exec.Command(find(t, name), args...)
	cmd.Stdout, cmd.Stderr = p, p
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(unix.SIGTERM)
		wait(t, name+" to end", func() bool {
			select {
			case <-ended:
				return true
			default:
				return false
			}
		})
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.text())
		}
	})
	return p
}

// tells waits until the program's output matches pattern, and returns the match of its group.
func (p *program) tells(pattern string) string {
	p.t.Helper()
	searched := regexp.MustCompile(pattern)
	var found []string
	wait(p.t, p.name+" to say "+pattern, func() bool {
		found = searched.FindStringSubmatch(p.text())
		return found != nil
	})
	return found[1]
}

// serves waits until the program accepts connections.
func (p *program) serves(network, addr string) {
	p.t.Helper()
	wait(p.t, p.name+" to serve", func() bool {
		c, err := net.Dial(network, addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// write makes a file in a temporary directory of the test.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
