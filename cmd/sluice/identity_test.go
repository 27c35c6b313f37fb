package main

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"sluice/conf"
	"sluice/engine/site"
)

// nobody is the uid and gid that the tests drop to; it needs no name.
const nobody = 65534

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may change uid, root directory and hard limits")
	}
}

// status reads a line of /proc/PID/status, its words joined by one blank.
func status(t *testing.T, pid int, key string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			return strings.Join(strings.Fields(rest), " ")
		}
	}
	t.Fatalf("/proc/%d/status has no %s", pid, key)
	return ""
}

func TestRootIsGivenUpForGood(t *testing.T) {
	needRoot(t)
	jail := filepath.Join(t.TempDir(), "not", "there")
	p := startProc(t, "-f", config(t, echo(t), "uid 65534", "gid 65534", "chroot "+jail))
	mustAsk(t, dial(t, p.addr))
	isJailed(t, workerOf(t, p.Process.Pid), nobody, jail)
	if want := "chroot directory '" + jail + "' was missing: created"; !strings.Contains(p.stderr.String(), want) {
		t.Errorf("no notice %q in\n%s", want, p.stderr.String())
	}
	info, err := os.Stat(jail)
	if err != nil || info.Mode().Perm() != 0o555 || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("want the jail root's and 0555, got %v, %v", info, err)
	}
	p.signal(t, syscall.SIGTERM)
	p.endsWell(t)
}

// isJailed wants every thread of pid to be that user and group, without groups
// or capabilities, and in jail: real, effective, saved and file system ids, as
// any one left at 0 is a way back.
func isJailed(t *testing.T, pid, id int, jail string) {
	t.Helper()
	ids := fmt.Sprintf("%d %[1]d %[1]d %[1]d", id)
	threadsHave(t, pid, map[string]string{
		"Uid": ids, "Gid": ids, "Groups": "",
		"CapEff": "0000000000000000", "CapPrm": "0000000000000000",
	})
	roots, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/root", pid))
	if err != nil || len(roots) == 0 {
		t.Fatalf("no threads of %d: %v", pid, err)
	}
	for _, thread := range roots {
		if root, err := os.Readlink(thread); err != nil || root != jail {
			t.Errorf("%s is '%s', %v, want '%s'", thread, root, err, jail)
		}
	}
}

// threadsHave compares lines of /proc/PID/status of every thread of pid.
func threadsHave(t *testing.T, pid int, wanted map[string]string) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("no threads of %d: %v", pid, err)
	}
	for _, thread := range threads {
		tid, err := strconv.Atoi(filepath.Base(thread))
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range wanted {
			if got := status(t, tid, key); got != want {
				t.Errorf("thread %d: %s is '%s', want '%s'", tid, key, got, want)
			}
		}
	}
}

func TestOrdinaryUsersCannotAskForRootsThings(t *testing.T) {
	needRoot(t)
	for _, c := range []struct{ global, want string }{
		{"uid 1", "uid and gid (user, group) need root to change, this process is uid 65534"},
		{"gid 1", "uid and gid (user, group) need root to change, this process is uid 65534"},
		{"chroot /", "chroot '/' needs root, this process is uid 65534"},
	} {
		p, closeSocket := asNobody(t, config(t, "127.0.0.1:1", c.global))
		p.refuses(t, closeSocket, c.want)
	}
}

// asNobody copies the program and its configuration to where nobody can read.
func asNobody(t *testing.T, config string) (*proc, func()) {
	t.Helper()
	dir := openDir(t)
	file := filepath.Join(dir, filepath.Base(config))
	copyTo(t, config, file, 0o644)
	p, closeSocket := command(t, "run", "-f", file)
	copyTo(t, p.Path, filepath.Join(dir, "sluice"), 0o755)
	p.Path = filepath.Join(dir, "sluice")
	p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return p, closeSocket
}

func copyTo(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, mode); err != nil {
		t.Fatal(err)
	}
}

// TestUserTakesItsGroup: who gives up root for a user gives up root's group,
// too, and is told where the user's group cannot be known.
func TestUserTakesItsGroup(t *testing.T) {
	needRoot(t)
	known, err := user.Lookup("daemon")
	if err != nil {
		t.Skip("this machine has no user daemon")
	}
	for _, global := range []string{"uid " + known.Uid, "user daemon"} {
		p := startProc(t, "-f", config(t, echo(t), global))
		for key, want := range map[string]string{"Uid": known.Uid, "Gid": known.Gid} {
			if got := strings.Fields(status(t, workerOf(t, p.Process.Pid), key)); got[0] != want || got[2] != want {
				t.Errorf("'%s': %s is %v, want %s", global, key, got, want)
			}
		}
		p.signal(t, syscall.SIGTERM)
		p.endsWell(t)
	}
	p, closeSocket := command(t, "run", "-f", config(t, echo(t), "uid 54321"))
	p.refuses(t, closeSocket, "uid 54321 without 'gid' or 'group': ")
}

// TestUnknownNamesHaveTheirLines: each unknown user, group or uid, and a chroot
// that cannot be used, is reported at the line of its directive.
func TestUnknownNamesHaveTheirLines(t *testing.T) {
	for global, want := range map[string][]string{
		"user nope":             {":2: error: user 'nope': no such user on this machine"},
		"maxconn 10\nuser nope": {":3: error: user 'nope': no such user on this machine"},
		"maxconn 10\nuser nope\ngroup nada": {
			":3: error: user 'nope': no such user on this machine", ":4: error: group 'nada': no such group on this machine"},
		"maxconn 10\nuid 54321":          {":3: error: uid 54321 without 'gid' or 'group': "},
		"maxconn 10\nchroot /dev/null/x": {":3: error: chroot "},
	} {
		text := "global\n" + global + "\ndefaults\ntimeout client 1s\ntimeout server 1s\ntimeout connect 1s\n" +
			"listen l\nbind 127.0.0.1:1\nserver s 127.0.0.1:2\n"
		_, problems := read(site.Outside{LookUp: noLookUp, Files: conf.Disk{}}, nil, conf.Source{Name: "c.cfg", Data: []byte(text)})
		var got strings.Builder
		for _, p := range problems {
			got.WriteString(p.String() + "\n")
		}
		for _, w := range want {
			if !strings.Contains(got.String(), "c.cfg"+w) {
				t.Errorf("%q: no %q in\n%s", global, w, got.String())
			}
		}
	}
}
