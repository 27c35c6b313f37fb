package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/conf"
)

// cgoFree makes p run sluice as it is released, without cgo. Only such a program can change the
// capabilities of all threads; a test binary has cgo. It returns the path, in a directory that
// nobody can read.
func cgoFree(t *testing.T, p *proc) string {
	t.Helper()
	p.Path = filepath.Join(openDir(t), "sluice")
	build := exec.Command("go", "build", "-o", p.Path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p.Path
}

// both are CAP_NET_BIND_SERVICE and CAP_NET_RAW as /proc shows them; none is the empty set.
const (
	both = "0000000000002400"
	none = "0000000000000000"
)

// Every name that a configuration may contain is a capability of the kernel.
func TestEachNameIsACapability(t *testing.T) {
	if len(capabilityBits) != len(conf.Capabilities) {
		t.Errorf("%d capabilities, %d names", len(capabilityBits), len(conf.Capabilities))
	}
	for _, name := range conf.Capabilities {
		if got := capabilitiesOf(&conf.Global{SetCap: []string{name}}); got == 0 || got.String() != name {
			t.Errorf("%s is %x, '%s'", name, uint64(got), got)
		}
	}
}

// A worker keeps the capabilities of `setcap` in each thread, and no way to others or to root. A
// reload cannot change them.
func TestSetcapIsAllThatStays(t *testing.T) {
	needRoot(t)
	jail := t.TempDir()
	file := config(t, echo(t), "uid 65534", "gid 65534", "chroot "+jail, "setcap cap_net_raw", "setcap cap_net_bind_service")
	p, closeSocket := command(t, "run", "-f", file)
	cgoFree(t, p)
	p.begin(t, closeSocket)
	mustAsk(t, dial(t, p.addr))
	want := map[string]string{
		"Uid": "65534 65534 65534 65534", "Gid": "65534 65534 65534 65534", "Groups": "",
		"CapEff": both, "CapPrm": both, "CapBnd": both, "CapInh": none, "CapAmb": none,
	}
	worker := workerOf(t, p.Process.Pid)
	threadsHave(t, worker, want)
	replaceIn(t, file, "setcap cap_net_raw", "setcap cap_net_admin")
	p.signal(t, syscall.SIGHUP)
	p.says(t, "global: setcap cap_net_raw is now cap_net_admin: takes effect after a restart only, because a process that has dropped its rights cannot take others")
	p.says(t, "reloaded: generation 2")
	mustAsk(t, dial(t, p.addr))
	threadsHave(t, worker, want)
	p.signal(t, syscall.SIGTERM)
	p.endsWell(t)
	if text := p.stderr.String(); strings.Contains(text, "warning") {
		t.Errorf("a warning in\n%s", text)
	}
}

func replaceIn(t *testing.T, file, from, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(text, []byte(from)) {
		t.Fatalf("no '%s' in %s: %v", from, file, err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte(from), []byte(to), 1), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fewer makes p run without a capability that root has elsewhere.
func fewer(t *testing.T, p *proc, without string) {
	t.Helper()
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		t.Skip("no setpriv on this machine")
	}
	p.Args = append([]string{"setpriv", "--bounding-set", "-" + without, p.Path}, p.Args[1:]...)
	p.Path = setpriv
}

// Root may have fewer capabilities in a container. Without CAP_SETPCAP the bounding set stays. A
// capability that is missing cannot be kept.
func TestSetcapOfLimitedRoot(t *testing.T) {
	needRoot(t)
	file := config(t, echo(t), "uid 65534", "gid 65534", "setcap cap_net_raw,cap_net_bind_service")
	p, closeSocket := command(t, "run", "-f", file)
	exe := cgoFree(t, p)
	fewer(t, p, "setpcap")
	p.begin(t, closeSocket)
	threadsHave(t, workerOf(t, p.Process.Pid), map[string]string{
		"CapEff": both, "CapPrm": both, "CapBnd": status(t, p.Process.Pid, "CapBnd"),
	})
	p.signal(t, syscall.SIGTERM)
	p.endsWell(t)

	const want = "'setcap' cannot keep cap_net_raw: this process is root, but was started without it"
	p, closeSocket = command(t, "run", "-f", file)
	p.Path = exe
	fewer(t, p, "net_raw")
	p.refuses(t, closeSocket, "sluice: "+file+":6: "+want)
	p, closeSocket = command(t, "check", "-f", file)
	p.Path = exe
	fewer(t, p, "net_raw")
	checks(t, p, closeSocket, file+":6: warning: "+want)
}

// checks runs `sluice check`, which must find a valid file and say exactly the warnings, each from
// its start.
func checks(t *testing.T, p *proc, closeSocket func(), want ...string) {
	t.Helper()
	defer closeSocket()
	if err := p.Run(); err != nil {
		t.Errorf("%v\n%s", err, p.stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(p.stderr.String()), "\n")
	if len(lines) != len(want)+1 || !strings.HasSuffix(lines[len(want)], " is valid") {
		t.Fatalf("want %d warnings, got\n%s", len(want), p.stderr.String())
	}
	for i, w := range want {
		if !strings.HasPrefix(lines[i], w) {
			t.Errorf("got %s\nwant %s", lines[i], w)
		}
	}
}

// Root that stays root keeps all capabilities, which a warning says.
func TestSetcapWithoutUser(t *testing.T) {
	needRoot(t)
	for _, more := range []string{"", "gid 65534", "uid 0"} {
		file := config(t, "127.0.0.1:1", "setcap cap_net_raw", more)
		p, closeSocket := command(t, "check", "-f", file)
		checks(t, p, closeSocket, file+":4: warning: 'setcap' has no effect: the process stays root with all its capabilities")
	}
}

// A program with cgo cannot change capabilities, so it does not start.
func TestSetcapWithCgo(t *testing.T) {
	needRoot(t)
	if _, _, e := syscall.AllThreadsSyscall(unix.SYS_PRCTL, unix.PR_GET_KEEPCAPS, 0, 0); e != syscall.ENOTSUP {
		t.Skip("this test binary has no cgo")
	}
	file := config(t, "127.0.0.1:1", "uid 65534", "gid 65534", "setcap cap_net_raw")
	p, closeSocket := command(t, "run", "-f", file)
	p.refuses(t, closeSocket, file+":6: setcap: this program was built with cgo")
	p, closeSocket = command(t, "check", "-f", file)
	checks(t, p, closeSocket, file+":6: warning: setcap: this program was built with cgo")
}

// lowAddress returns an address with a free port to which nobody may bind.
func lowAddress(t *testing.T) string {
	t.Helper()
	for port := min(firstOpenPort(), 1024) - 1; port > 0; port-- {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.77:%d", port))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Skip("every port is open to all users of this machine, or in use")
	return ""
}

// permit writes file capabilities, permitted only, as `setcap cap_net_bind_service=p` does. A process
// of the file may then make them effective.
func permit(t *testing.T, file string, c capabilities) {
	t.Helper()
	const revision2 = 0x02000000 // VFS_CAP_REVISION_2, without the flag for effective ones
	var data [20]byte
	binary.LittleEndian.PutUint32(data[0:], revision2)
	binary.LittleEndian.PutUint32(data[4:], uint32(c))
	if err := unix.Setxattr(file, "security.capability", data[:], 0); err != nil {
		t.Skipf("no file capabilities here: %v", err)
	}
}

// An ordinary user binds to a low port with a file capability only if `setcap` makes it effective;
// `check` says so. With a master, both processes have it.
func TestSetcapWithFileCapabilities(t *testing.T) {
	needRoot(t)
	low := lowAddress(t)
	asUser := func(args []string, global string) (*proc, string, func()) {
		file := config(t, echo(t), global)
		replaceIn(t, file, "bind fd@3", "bind fd@3\n    bind "+low)
		open := filepath.Join(openDir(t), "test.cfg")
		copyTo(t, file, open, 0o644)
		p, closeSocket := command(t, append(args, "-f", open)...)
		p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return p, open, closeSocket
	}
	const needs = "'bind' in frontend 'in': port %d is below %d and needs cap_net_bind_service, which this process, uid 65534, cannot use: "
	_, port, _ := strings.Cut(low, ":")
	cannot := strings.Replace(fmt.Sprintf(needs, 0, firstOpenPort()), "port 0", "port "+port, 1)

	p, file, closeSocket := asUser([]string{"check"}, "setcap cap_net_bind_service")
	exe := cgoFree(t, p)
	checks(t, p, closeSocket, file+":4: warning: 'setcap' cannot give cap_net_bind_service: this process, uid 65534, was started without it; ",
		file+":12: warning: "+cannot+"start as root with 'uid'")

	permit(t, exe, netBindService)
	p, file, closeSocket = asUser([]string{"check"}, "")
	p.Path = exe
	checks(t, p, closeSocket, file+":12: warning: "+cannot+"'setcap cap_net_bind_service' in the global section makes it effective")
	p, _, closeSocket = asUser([]string{"run"}, "")
	p.Path = exe
	p.refuses(t, closeSocket, "permission denied")

	p, _, closeSocket = asUser([]string{"check"}, "setcap cap_net_bind_service")
	p.Path = exe
	checks(t, p, closeSocket)
	for _, args := range [][]string{{"run"}, {"run", "-W"}} {
		p, _, closeSocket = asUser(args, "setcap cap_net_bind_service,cap_net_raw")
		p.Path = exe
		p.begin(t, closeSocket)
		mustAsk(t, dial(t, low))
		if n := strings.Count(p.stderr.String(), "'setcap' cannot give cap_net_raw: "); n != 1 {
			t.Errorf("%d warnings of cap_net_raw, want 1:\n%s", n, p.stderr.String())
		}
		want := map[string]string{"CapEff": "0000000000000400", "CapPrm": "0000000000000400"}
		threadsHave(t, p.Process.Pid, want)
		if len(args) > 1 {
			threadsHave(t, workerOf(t, p.Process.Pid), want)
		}
		p.signal(t, syscall.SIGTERM)
		p.endsWell(t)
	}
}

// A process that was started with a capability, as by systemd, needs no `setcap` for it.
func TestAmbientCapabilityIsEnough(t *testing.T) {
	needRoot(t)
	for global, want := range map[string][]string{
		"":                                   nil,
		"setcap cap_net_raw":                 {":4: warning: 'setcap' cannot give cap_net_raw: this process, uid 65534, "},
		"uid 1\n  gid 1\nsetcap cap_net_raw": {":1: warning: uid and gid (user, group) need root to change"},
	} {
		file := config(t, echo(t), global)
		replaceIn(t, file, "bind fd@3", "bind "+lowAddress(t))
		p, closeSocket := asNobody(t, file)
		p.Args[1] = "check"
		p.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_NET_BIND_SERVICE}
		for i := range want {
			want[i] = p.Args[len(p.Args)-1] + want[i]
		}
		checks(t, p, closeSocket, want...)
	}
}

// Each line with a low port gets one warning. Other sockets need no capability.
func TestLowPorts(t *testing.T) {
	if firstOpenPort() < 1024 {
		t.Skip("ports below 1024 are open to all users of this machine")
	}
	c, err := conf.Parse(conf.Source{Name: "c.cfg", Data: []byte(`global
stats socket 127.0.0.1:9
stats socket abns@s
stats socket 127.0.0.1:1024
defaults
timeout client 1s
timeout server 1s
timeout connect 1s
listen l
bind *:80-82,127.0.0.1:443
bind *:8080
bind abns@l
bind fd@3
server s 127.0.0.1:2
`)})
	if err.Err() != nil {
		t.Fatal(err)
	}
	var problems conf.Problems
	lowPorts(c, capabilitySets{}, &problems)
	var got []string
	for _, p := range problems {
		text, _, _ := strings.Cut(p.String(), " is below")
		got = append(got, text)
	}
	want := []string{"c.cfg:10: warning: 'bind' in frontend 'l': port 80", "c.cfg:2: warning: 'stats socket': port 9"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
