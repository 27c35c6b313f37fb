package peer

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func replaced(s Site, broken bool) Site {
	s.Reloads = &Reloads{
		Origin: netip.MustParseAddrPort("127.0.0.1:20005"), Web: netip.MustParseAddrPort("127.0.0.1:20006"),
		Bulk: netip.MustParseAddrPort("127.0.0.1:20007"), Control: "/d/control.sock", Generation: 7, Broken: broken,
	}
	return s
}

func TestReloadConfig(t *testing.T) {
	s := replaced(site(Host, 4, false), true)
	s.Backends = 4
	got := (&HAProxy{Sluice: true}).config(s, bind, "")
	for _, want := range []string{
		"    stats socket /d/control.sock level admin\n",
		"    use_backend site1 if { hdr(host) -i g00007.site.test }\n    use_backend site0 if { hdr(host) -i h00000.site.test }\n",
		"    use_backend site3 if { hdr(host) -i h00003.site.test }\n",
		"\nbackend site2\n    server origin 127.0.0.1:20002\n\nbackend site3\n    server origin 127.0.0.1:20003\n",
		"\nfrontend web\n    mode http\n    bind 127.0.0.1:20006\n",
		"\nfrontend bulk\n    bind 127.0.0.1:20007\n",
		"    server origin 127.0.0.1:20005\n    nonsense\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestBrokenConfig: HAProxy accepts the file without the broken line and refuses it with that line.
func TestBrokenConfig(t *testing.T) {
	found, err := FindHAProxy("haproxy", "haproxy")
	if err != nil {
		t.Skip("its own check needs haproxy: ", err)
	}
	for _, broken := range []bool{false, true} {
		cmd, err := found[0].Command(replaced(site(Host, 50, false), broken), bind, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		file := cmd.Args[len(cmd.Args)-1]
		if out, err := exec.Command(found[0].Bin, "-c", "-f", file).CombinedOutput(); (err != nil) != broken {
			t.Errorf("broken %v: %v: %s", broken, err, out)
		}
	}
}

func TestAccepted(t *testing.T) {
	const head = "#<PID>          <type>          <reloads>       <uptime>        <version>\n"
	for said, want := range map[string]bool{
		head + "26288           master          2 [failed: 0]   0d00h00m11s     2.6.12\n# workers\n": true,
		head + "26288           master          2 [failed: 1]   0d00h00m11s     2.6.12\n# workers\n": false,
	} {
		if got, err := accepted(said); err != nil || got != want {
			t.Errorf("%v %v for %q", got, err, said)
		}
	}
	if _, err := accepted(head + "1 worker 0 0d00h00m11s\n"); err == nil {
		t.Error("no error without the line of the master")
	}
}

// TestHAProxyReloads makes a reload with a good file and one with a broken file.
func TestHAProxyReloads(t *testing.T) {
	found, err := FindHAProxy("haproxy", "haproxy")
	if err != nil {
		t.Skip("needs haproxy: ", err)
	}
	s := site(Host, 2, false)
	s.Reloads = &Reloads{Origin: s.Servers[0]}
	r, err := Start(found[0], s, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	}()
	for i, broken := range []bool{false, true, true, false} {
		done, err := r.Reload(i+1, broken)
		if err != nil {
			t.Fatal(err)
		}
		if done.Accepted == broken || done.Took <= 0 || time.Since(done.Began) < done.Took {
			t.Errorf("reload %d, broken %v: %+v", i, broken, done)
		}
	}
}
