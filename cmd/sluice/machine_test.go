package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const machineVariable = "SLUICE_TEST_MACHINE"

// ownMachine runs the test once more where all ports are free, /var is empty
// and no process outlives it, and reports whether this is that run.
func ownMachine(t *testing.T) bool {
	t.Helper()
	needRoot(t)
	if os.Getenv(machineVariable) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), machineVariable+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("in its namespaces: %v\n%s", err, out)
		}
		return false
	}
	for _, m := range []struct {
		source, target, kind string
		flags                uintptr
	}{
		{"none", "/", "", syscall.MS_REC | syscall.MS_PRIVATE},
		{"proc", "/proc", "proc", 0},
		{"tmpfs", "/var", "tmpfs", 0},
	} {
		if err := syscall.Mount(m.source, m.target, m.kind, m.flags, ""); err != nil {
			t.Fatalf("mount %s: %v", m.target, err)
		}
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("ip link: %v: %s", err, out)
	}
	return true
}

// openDir makes a new directory that nobody, the user, can read.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} { // the outer one is root's alone
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// application is a WSGI application of examples/wsgi, run by nobody.
type application struct {
	*exec.Cmd
	said lockedBuffer // a line for each request
}

// serveSite starts a site, and waits until it serves.
func serveSite(t *testing.T, name string, port int) *application {
	t.Helper()
	dir := openDir(t)
	if err := os.CopyFS(filepath.Join(dir, "wsgi"), os.DirFS("../../examples/wsgi")); err != nil {
		t.Fatal(err)
	}
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import eventlet").Run(); err != nil {
		t.Fatalf("eventlet: %v: apt-get install python3-eventlet", err)
	}
	a := &application{Cmd: exec.Command(python, "serve.py", name, fmt.Sprint(port))}
	a.Dir = filepath.Join(dir, "wsgi")
	a.Stdout, a.Stderr = &a.said, &a.said
	a.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.end)
	waitFor(t, name+" to serve", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return a
}

func (a *application) end() {
	_ = a.Process.Kill()
	_ = a.Wait()
}

func (a *application) wasAsked(request string) bool {
	return strings.Contains(a.said.String(), `"`+request+`"`)
}
