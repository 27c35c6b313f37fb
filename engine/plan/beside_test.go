//go:build !simulation

package plan

import (
	"fmt"
	"strings"
	"testing"

	"sluice/conf"
)

const nofileOfTests = 1000

// binding returns a configuration with a listen section that has bind lines for a range of ports, and
// a checked server.
func binding(t *testing.T, global, ports string) *conf.Config {
	t.Helper()
	return configured(t, global, "listen l\n  bind 127.0.0.1:"+ports+"\n  server s 127.0.0.1:10 check\n")
}

func configured(t *testing.T, global, proxies string) *conf.Config {
	t.Helper()
	c, problems := conf.ParseString("plan.cfg", "global\n  nbthread 2\n"+global+
		"\ndefaults\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\n"+proxies)
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	return c
}

// A configuration that replaces another one has descriptors for both, and keeps loops, memory and
// capacity.
func TestBeside(t *testing.T) {
	tests := []struct {
		name, was, is string
		before, now   string // ports
		open          int    // sessions
		maxconn       int    // at least
		refused       string // part of the error
	}{
		{"as many as fit", "", "", "1", "1", 0, 400, ""},
		{"raised", "  maxconn 100", "  maxconn 300", "1", "1", 0, 300, ""},
		{"raised to all", "  maxconn 100", "  maxconn 480", "1", "1", 0, 480, ""},
		{"lowered", "  maxconn 300", "  maxconn 100", "1", "1", 0, 100, ""},
		{"unchanged", "  maxconn 450", "  maxconn 450", "1", "1", 450, 450, ""},
		{"too many", "  maxconn 100", "  maxconn 600", "1", "1", 0, 0,
			"maxconn 600 does not fit into 1000 file descriptors: 600 connections x 2 + 0 pipes x 2 + 39 for 2 loops, listeners, checks, logs and reserve = 1239 of 1000"},
		{"lowered before already", "  maxconn 600", "  maxconn 600", "1", "1", 0, 470, ""},
		{"strict", "  maxconn 600", "  maxconn 600\n  strict-limits", "1", "1", 0, 0, "strict-limits is on"},
		{"many sockets beside many", "  maxconn 100", "  maxconn 100", "1-100", "1-380", 0, 100, ""},
		{"too many sockets", "  maxconn 100", "  maxconn 100", "1-100", "1-450", 0, 0, "maxconn 100 does not fit into 1000 file descriptors"},
		{"other sockets", "  maxconn 440", "  maxconn 440", "1-30", "101-130", 0, 0, "reserve + 60 for listeners and logs of other configurations = "},
		{"other sockets that fit", "  maxconn 400", "  maxconn 400", "1-30", "101-130", 0, 400, ""},
		{"sessions fit", "  maxconn 410", "  maxconn 100", "1", "1-80", 409, 100, ""},
		{"sessions do not fit", "  maxconn 410", "  maxconn 100", "1", "1-80", 410, 0, "410 connections are open"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			was := binding(t, tt.was, tt.before)
			p := Make(was, nofileOfTests)
			n := p.Beside(Others{Sockets: was, Sessions: tt.open}, binding(t, tt.is, tt.now))
			if err := n.Problems.Err(); tt.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("got error %v, want %q", err, tt.refused)
				}
				return
			} else if err != nil {
				t.Fatal(err)
			}
			if n.MaxConn < tt.maxconn || n.Wanted > 0 && n.MaxConn > n.Wanted {
				t.Errorf("maxconn %d, want %d", n.MaxConn, tt.maxconn)
			}
			if n.Loops != p.Loops || n.Capacity != p.Capacity || n.Memory != p.Memory {
				t.Errorf("loops, capacity or memory changed: %+v, %+v", p, n)
			}
			if n.Descriptors() > nofileOfTests || n.MaxConn > n.Capacity || n.Pipes < 0 {
				t.Error(n.Sum())
			}
		})
	}
}

// Pipes get what connections leave: a raised maxconn takes pipes back, and a lowered one gives them
// only the descriptors that open sessions do not have.
func TestBesideDividesPipesAnew(t *testing.T) {
	p := Make(binding(t, "  maxconn 360", "1"), nofileOfTests)
	if p.Pipes != 90 {
		t.Fatalf("%d pipes; want a quarter of 360", p.Pipes)
	}
	p = p.Beside(Others{}, binding(t, "  maxconn 470", "1"))
	if err := p.Problems.Err(); err != nil || p.MaxConn != 470 || p.Pipes != 10 {
		t.Errorf("raised: %v, %s", err, p.Sum())
	}
	low := binding(t, "  maxconn 300", "1")
	if p = p.Beside(Others{Sessions: 470}, low); p.MaxConn != 300 || p.Pipes != 10 {
		t.Errorf("lowered beside 470 sessions: %s", p.Sum())
	}
	if p = p.Beside(Others{}, low); p.Pipes != 75 {
		t.Errorf("lowered: %s", p.Sum())
	}
}

// Descriptors that several configurations share are counted once.
func TestOthersCountWhatOnlyTheyNeed(t *testing.T) {
	const logs = "  log 127.0.0.1:514 local0\n  log /dev/log local0\n"
	frontends := func(lines ...string) string {
		text := ""
		for i, line := range lines {
			text += fmt.Sprintf("frontend f%d\n  log global\n  bind %s\n  default_backend b\n", i, line)
		}
		return text + "backend b\n  server s 127.0.0.1:10\n"
	}
	is := configured(t, logs, frontends("127.0.0.1:80", "127.0.0.1:81", "*:82", "unix@/s"))
	for name, tt := range map[string]struct {
		others Others
		want   int
	}{
		"none":              {Others{}, 0},
		"the same":          {Others{Logs: []*conf.Config{is, is}, Sockets: is}, 0},
		"removed sockets":   {Others{Removed: 7}, 7},
		"sockets and logs":  {Others{Logs: []*conf.Config{is, configured(t, "  log 127.0.0.1:515 local0", frontends("*:9"))}, Sockets: configured(t, "", frontends("127.0.0.1:80", "*:80"))}, 1 + 2},
		"the wildcard":      {Others{Sockets: configured(t, "", frontends(":82", "*:83"))}, 2},
		"another option":    {Others{Sockets: configured(t, "", frontends("127.0.0.1:80 name x"))}, 0},
		"another frontend":  {Others{Sockets: configured(t, "", frontends("unix@/s"))}, 0},
		"another interface": {Others{Sockets: configured(t, "", frontends("[fe80::1%lo]:80", "[fe80::1]:80"))}, 4},
	} {
		p := Make(is, nofileOfTests)
		n := p.Beside(tt.others, is)
		if n.Others != tt.want || n.Fixed != p.Fixed {
			t.Errorf("%s: %d descriptors for others, want %d; %d are fixed, %d before", name, n.Others, tt.want, n.Fixed, p.Fixed)
		}
	}
	once := configured(t, "", frontends("127.0.0.1:80", "127.0.0.1:81", "*:82", "unix@/s"))
	if with, without := Make(is, nofileOfTests).Fixed, Make(once, nofileOfTests).Fixed; with != without+4 {
		t.Errorf("two log targets of many proxies take %d descriptors; want 4, because a reload opens them anew", with-without)
	}
}
