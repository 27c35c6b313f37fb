package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// result is the end of a command of an operator.
type result struct {
	status         int
	stdout, stderr string
}

// sluice runs a command to its end.
func sluice(t *testing.T, args ...string) result {
	t.Helper()
	p, closeSocket := command(t, args...)
	closeSocket()
	p.ExtraFiles = nil
	var out bytes.Buffer
	p.Stdout = &out
	err := p.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	return result{p.ProcessState.ExitCode(), out.String(), p.stderr.String()}
}

// The exit status of a reload says whether the new configuration is in use, and its messages are on
// standard error.
func TestCtlReload(t *testing.T) {
	was, is := echo(t), greeter(t, "new")
	path, p, socket := withStats(t, was, "admin")
	rewrite(t, path, was, is)
	change := "backend bk: server s1: address " + was + " is now " + is + "\n"
	want := result{0, "", change + "dry run: a reload would make 1 change; nothing is changed\n"}
	for _, args := range [][]string{
		{"ctl", "reload", "--dry-run", "-s", socket}, {"ctl", "-f", path, "reload", "--dry-run"}, {"ctl", "-s", "unix@" + socket, "reload --dry-run"},
	} {
		if got := sluice(t, args...); got != want {
			t.Errorf("%q: %+v, want %+v", args, got, want)
		}
	}
	if got := sluice(t, "ctl", "reload", "-f", path); got.status != 0 || got.stdout != "" || !strings.HasPrefix(got.stderr, change+"reloaded: generation 2, ") {
		t.Errorf("%+v", got)
	}
	if got := greeting(t, p.addr); got != "new" {
		t.Errorf("after the reload: %q", got)
	}
	rewrite(t, path, "default_backend bk", "default_backend nobody")
	got := sluice(t, "ctl", "reload", "-f", path)
	if got.status != 1 || got.stdout != "" || !strings.HasPrefix(got.stderr, path+":12: error: ") || !strings.HasSuffix(got.stderr, "not reloaded: the old configuration stays in use\n") {
		t.Errorf("a broken file: %+v", got)
	}
}

func TestCtlReloadWithoutTheLevel(t *testing.T) {
	_, _, socket := withStats(t, echo(t), "operator")
	want := result{1, "", "sluice: stats socket '" + socket + "': the answer to 'reload' is 'Permission denied': the stats socket needs 'level admin'\n"}
	if got := sluice(t, "ctl", "reload", "-s", socket); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Any command is sent as it is, and its answer is on standard output.
func TestCtlPrintsAnswers(t *testing.T) {
	path, _, socket := withStats(t, echo(t), "user")
	for _, args := range [][]string{{"ctl", "-s", socket, "show", "stat", "-1", "2", "-1"}, {"ctl", "-f", path, "show stat -1 2 -1"}} {
		got := sluice(t, args...)
		lines := strings.Split(got.stdout, "\n")
		if got.status != 0 || len(lines) != 3 || !strings.HasPrefix(lines[0], "# pxname,") || !strings.HasPrefix(lines[1], "bk,BACKEND,") || got.stderr != "" {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

// The socket with the highest level is used. A descriptor cannot be reached from outside.
func TestCtlChoosesTheSocket(t *testing.T) {
	path := config(t, "127.0.0.1:1", "stats socket fd@4 level admin", "stats socket 127.0.0.1:9999 level operator", "stats socket /run/first level admin", "stats socket /run/second level admin")
	s := statsSocket{files: configFiles{paths: []string{path}}}
	if got, err := s.address(); err != nil || got != "/run/first" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestEndpoints(t *testing.T) {
	for address, want := range map[string]string{
		"/run/s": "unix /run/s", "unix@s": "unix s", "s": "unix s", "dir/a:b": "unix dir/a:b",
		"127.0.0.1:9": "tcp 127.0.0.1:9", "*:9": "tcp :9", "[::1]:9": "tcp [::1]:9",
		"abns@x": "unix @x" + strings.Repeat("\x00", 106),
	} {
		if network, text := endpoint(address); network+" "+text != want {
			t.Errorf("%s: %q", address, network+" "+text)
		}
	}
}

func TestCtlWithoutAProcess(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	want := result{1, "", fmt.Sprintf("sluice: stats socket '%s': connect: no such file or directory\n", socket)}
	if got := sluice(t, "ctl", "-s", socket, "show info"); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
