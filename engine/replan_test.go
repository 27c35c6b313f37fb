//go:build !simulation

package engine

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"sluice/engine/listen"
	"sluice/engine/plan"
)

// bindLines is a configuration whose frontend f has n bind lines. global is the text of the section
// global, more of the frontend.
func bindLines(server, global string, n int, more string) string {
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "  bind 127.0.0.%d:1\n", i+1)
	}
	return strings.Replace(unbound(server), "BINDS\n", lines.String()+more, 1) + "global\n" + global
}

// startWithin starts a balancer that has this number of descriptors by its plan.
func startWithin(t *testing.T, nofile uint64, cfg string) *balancer {
	t.Helper()
	return startWith(t, cfg, func(o *Options) { o.Plan = plan.Make(o.Site.Conf, nofile) })
}

// maxconn waits until the process has this maxconn, in its plan and its limit.
func (b *balancer) maxconn(want int) {
	b.t.Helper()
	wait(b.t, fmt.Sprintf("maxconn %d; the plan is %s", want, b.Plan().Sum()), func() bool {
		return b.Plan().MaxConn == want && b.Limit.Max() == int64(want)
	})
}

// announced fails the test unless the process log has a line that begins with text.
func (b *balancer) announced(text string) {
	b.t.Helper()
	wait(b.t, "the log to say "+text, func() bool {
		for _, line := range b.said.All() {
			if strings.HasPrefix(line.Message, text) {
				return true
			}
		}
		return false
	})
}

// A reload of the same file fits where maxconn and pipes take all descriptors. A higher maxconn takes
// descriptors of pipes, and a lower one gives them back.
func TestReloadTakesPipesBack(t *testing.T) {
	server := newPeer(t, echo).String()
	b := startWithin(t, 1024, bindLines(server, "  maxconn 450\n", 1, ""))
	if n := b.Plan().Descriptors(); n < 1023 {
		t.Fatalf("%d descriptors are planned; want all", n)
	}
	if r := b.reload(bindLines(server, "  maxconn 450\n", 1, "")); r.MaxConn != "" || len(r.Warnings) > 0 {
		t.Errorf("the same file: maxconn %q, warnings %q", r.MaxConn, r.Warnings)
	}
	open := descriptors(t)
	r := b.reload(bindLines(server, "  maxconn 490\n", 1, ""))
	if want := "maxconn 490, was 450: 490 connections x 2 + 2 pipes x 2 + 40 for "; !strings.HasPrefix(r.MaxConn, want) {
		t.Errorf("got %q; want %q", r.MaxConn, want)
	}
	b.maxconn(490)
	wait(t, "14 spare pipes to be closed", func() bool { return descriptors(t) <= open-28 })
	b.reload(bindLines(server, "  maxconn 450\n", 1, ""))
	b.maxconn(450)
	if n := b.Plan().Pipes; n != 42 {
		t.Errorf("%d pipes; want those of the start", n)
	}
}

// New sockets lower a maxconn that is not configured. Removed sockets need descriptors until they are
// closed. Then maxconn is raised, and clients that wait for it are served.
func TestMaxconnIsRaisedWhenRemovedSocketsAreClosed(t *testing.T) {
	server := newPeer(t, echo).String()
	b := startWithin(t, 120, bindLines(server, "", 1, ""))
	b.maxconn(36)
	if r := b.reload(bindLines(server, "", 21, "")); !strings.HasPrefix(r.MaxConn, "maxconn 16, was 36: 16 connections x 2 + ") {
		t.Errorf("got %q; want the lower maxconn", r.MaxConn)
	}
	b.maxconn(16)
	for range 16 {
		greeted(t, b.dial("f"))
	}
	waiting := []net.Conn{b.dial("f"), b.dial("f")}
	if r := b.reload(bindLines(server, "", 1, "")); r.MaxConn != "" {
		t.Errorf("got %q; want the same maxconn while the removed sockets are open", r.MaxConn)
	}
	for _, c := range waiting {
		greeted(t, c)
	}
	b.maxconn(36)
	b.announced("maxconn 36, was ")
}

// The log targets of a former configuration need descriptors until its last session has ended.
func TestMaxconnIsRaisedWhenTheFormerConfigurationIsGone(t *testing.T) {
	server := newPeer(t, echo).String()
	const logs = "  log 127.0.0.1:9 local0\n  log 127.0.0.2:9 local0\n  log 127.0.0.3:9 local0\n  log 127.0.0.4:9 local0\n"
	b := startWithin(t, 120, bindLines(server, "", 1, logs))
	b.maxconn(32)
	tunnel := greeted(t, b.dial("f"))
	r := b.reload(bindLines(server, "", 1, ""))
	if !strings.HasPrefix(r.MaxConn, "maxconn 34, was 32: ") || !strings.Contains(r.MaxConn, " + 4 for listeners and logs of other configurations = ") {
		t.Errorf("got %q", r.MaxConn)
	}
	b.maxconn(34)
	tunnel.Close()
	b.maxconn(36)
	b.announced("maxconn 36, was 34: ")
}

// A reload that does not fit is refused with the sum. While a reload opens its sockets, maxconn leaves
// descriptors for them. After an error maxconn is that of before.
func TestRefusedReloadLeavesMaxconn(t *testing.T) {
	server := newPeer(t, echo).String()
	for name, tt := range map[string]struct {
		global, want string
		during, open int // maxconn while sockets are opened, and sessions
	}{
		"maxconn does not fit":  {"  maxconn 36\n", "maxconn 36 does not fit into 120 file descriptors: 36 connections x 2 + 0 pipes x 2 + 80 for 2 loops, listeners, checks, logs and reserve = 152 of 120", 0, 0},
		"sessions do not fit":   {"", "30 connections are open, and do not fit into 120 file descriptors", 0, 30},
		"sockets are not bound": {"", "not bound", 16, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := startWithin(t, 120, bindLines(server, tt.global, 1, ""))
			b.maxconn(36)
			for range tt.open {
				greeted(t, b.dial("f"))
			}
			s, err := compiled(parse(t, b.before+bindLines(server, tt.global, 21, "")))
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.Engine.reload(s, func() (*listen.Next, error) {
				b.maxconn(tt.during)
				return nil, errors.New("not bound")
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want %q", err, tt.want)
			}
			b.maxconn(36)
		})
	}
}

// A process that has used up its descriptors for connections serves all clients up to maxconn, also
// after reloads that replace addresses one after the other: each fits, or is refused.
func TestReplacedAddressesDoNotUseUpTheDescriptors(t *testing.T) {
	server := newPeer(t, echo).String()
	cfg := func(n int) string {
		lines := ""
		for i := range 10 {
			lines += fmt.Sprintf("  bind 127.0.%d.%d:1\n", 1+n, 1+i)
		}
		return bindLines(server, "  maxconn 30\n", 1, lines)
	}
	b := startWithin(t, 200, cfg(0))
	fits, refused := 0, 0
	for n := range 8 {
		switch _, err := b.tryReload(cfg(1 + n)); {
		case err == nil:
			fits++
		case strings.Contains(err.Error(), "maxconn 30 does not fit into 200 file descriptors"):
			refused++
		default:
			t.Fatal(err)
		}
		if p := b.Plan(); p.MaxConn != 30 || p.Descriptors() > 200 {
			t.Errorf("reload %d: %s", n, p.Sum())
		}
	}
	if fits == 0 || refused == 0 {
		t.Errorf("%d reloads were accepted, %d refused; want some of both", fits, refused)
	}
	wait(t, "the removed sockets to be closed", func() bool { return b.Plan().Others == 0 })
	b.reload(cfg(9))
}
