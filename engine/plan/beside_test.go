//go:build !simulation

package plan

import (
	"strconv"
	"strings"
	"testing"

	"sluice/conf"
)

// A configuration that replaces another one has descriptors for both, and keeps loops, pipes and
// capacity.
func TestBeside(t *testing.T) {
	const nofile = 1000
	parse := func(global string, binds int) *conf.Config {
		c, problems := conf.ParseString("plan.cfg", "global\n  nbthread 2\n"+global+`
listen l
`+"  bind 127.0.0.1:1-"+strconv.Itoa(binds)+"\n"+`  server s 127.0.0.1:10 check
  timeout connect 1s
  timeout client 1s
  timeout server 1s
`)
		if problems.Err() != nil {
			t.Fatal(problems)
		}
		return c
	}
	tests := []struct {
		name, was, is string
		binds         int
		maxconn       int    // at least
		refused       string // part of the error
	}{
		{"as many as fit", "", "", 1, 400, ""},
		{"raised", "  maxconn 100", "  maxconn 300", 1, 300, ""},
		{"lowered", "  maxconn 300", "  maxconn 100", 1, 100, ""},
		{"too many", "  maxconn 100", "  maxconn 600", 1, 0, "maxconn 600 does not fit into 1000 file descriptors"},
		{"lowered before already", "  maxconn 600", "  maxconn 600", 1, 400, ""},
		{"strict", "  maxconn 600", "  maxconn 600\n  strict-limits", 1, 0, "strict-limits is on"},
		{"many sockets beside many", "  maxconn 100", "  maxconn 100", 300, 0, "maxconn 100 does not fit into 1000 file descriptors"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			was := parse(tt.was, min(tt.binds, 100))
			p := Make(was, nofile)
			n := p.Beside([]*conf.Config{was}, parse(tt.is, tt.binds))
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
			if n.Loops != p.Loops || n.Pipes != p.Pipes || n.Capacity != p.Capacity || n.Memory != p.Memory {
				t.Errorf("loops, pipes, capacity or memory changed: %+v, %+v", p, n)
			}
			if n.Descriptors() > nofile || n.MaxConn > n.Capacity {
				t.Error(n.Sum())
			}
		})
	}
}
