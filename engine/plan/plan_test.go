//go:build !simulation

package plan

import (
	"strings"
	"testing"

	"sluice/conf"
)

func planned(t *testing.T, global string, nofile uint64) Plan {
	t.Helper()
	c, problems := conf.ParseString("plan.cfg", "global\n  nbthread 2\n"+global+`
listen l
  bind 127.0.0.1:9
  server s 127.0.0.1:10 check
  timeout connect 1s
  timeout client 1s
  timeout server 1s
`)
	if c == nil {
		t.Fatal(problems)
	}
	return Make(c, nofile)
}

func TestPlanNeverExceedsTheDescriptors(t *testing.T) {
	for _, nofile := range []uint64{64, 100, 256, 300, 1024, 20000, 1 << 20, 1 << 40} {
		for _, maxconn := range []string{"", "  maxconn 10", "  maxconn 100000"} {
			p := planned(t, maxconn, nofile)
			if p.MaxConn > 0 && uint64(p.Descriptors()) > nofile {
				t.Errorf("%d descriptors, %q: %s", nofile, maxconn, p.Sum())
			}
			if p.Wanted > 0 && p.MaxConn > p.Wanted {
				t.Errorf("maxconn %d became %d", p.Wanted, p.MaxConn)
			}
			if p.Capacity < p.MaxConn || p.Capacity > max(p.MaxConn, mostUnasked) {
				t.Errorf("%d descriptors, %q: capacity %d, maxconn %d", nofile, maxconn, p.Capacity, p.MaxConn)
			}
			if p.Pipes < 0 {
				t.Errorf("%d pipes", p.Pipes)
			}
		}
	}
}

// TestPlanReservesForAllDescriptors: maxconn of the configuration does not lower the capacity.
func TestPlanReservesForAllDescriptors(t *testing.T) {
	unasked, low := planned(t, "", 20000), planned(t, "  maxconn 10", 20000)
	if unasked.Capacity < unasked.MaxConn || low.MaxConn != 10 || low.Capacity != unasked.Capacity {
		t.Errorf("capacity %d with maxconn 10, %d without", low.Capacity, unasked.Capacity)
	}
}

func TestPlanLowersMaxconn(t *testing.T) {
	p := planned(t, "  maxconn 2000", 256)
	if p.MaxConn < 80 || p.MaxConn >= 128 || p.Problems.Err() != nil || len(p.Problems) != 1 {
		t.Fatalf("maxconn %d, problems %v", p.MaxConn, p.Problems)
	}
	if text := p.Problems[0].Text; !strings.Contains(text, "maxconn 2000") || !strings.Contains(text, p.Sum()) {
		t.Errorf("the warning %q does not show the sum %q", text, p.Sum())
	}
	if p := planned(t, "  maxconn 2000\n  strict-limits", 256); p.Problems.Err() == nil {
		t.Error("strict-limits lets too small a limit pass")
	}
	if p := planned(t, "", 30); p.Problems.Err() == nil {
		t.Error("too few descriptors for one connection are no error")
	}
}

func TestPlanHoldsNineThousand(t *testing.T) {
	if p := planned(t, "  maxconn 9000", 20000); p.MaxConn != 9000 || len(p.Problems) > 0 {
		t.Errorf("maxconn %d, problems %v; want 9000 and none", p.MaxConn, p.Problems)
	}
}

// TestMemoryFollowsTheBudget: a small buffer_budget bounds what is held for other purposes, too.
func TestMemoryFollowsTheBudget(t *testing.T) {
	const mib = 1 << 20
	for budget, want := range map[int64]Memory{
		0:         {64 * mib, 64 * mib, 64 * mib, 64 * mib},
		64 * 1024: {64 * 1024, 4 * mib, 4 * mib, 4 * mib},
		8 * mib:   {8 * mib, 8 * mib, 8 * mib, 8 * mib},
		512 * mib: {512 * mib, 64 * mib, 64 * mib, 64 * mib},
	} {
		if got := memoryOf(&conf.Global{BufferBudget: budget}); got != want {
			t.Errorf("buffer_budget %d: %+v; want %+v", budget, got, want)
		}
	}
}

// TestSpareFillsTheDescriptors: the sessions that loops may add use up the descriptors, and no more.
func TestSpareFillsTheDescriptors(t *testing.T) {
	for _, sessions := range []int{0, 10, 100} {
		p := planned(t, "  maxconn 100", 2000)
		all := sessions + p.Loops*p.Spare(sessions)
		used := p.Fixed + 2*p.Pipes + conf.FDsPerConn*all
		if left := 2000 - used; left < 0 || left >= conf.FDsPerConn*p.Loops {
			t.Errorf("%d sessions: %d may be added for each loop, which leaves %d descriptors", sessions, p.Spare(sessions), left)
		}
	}
}

// TestPlanHoldsAsManyAsMaxconnAsksFor: where descriptors are unlimited, the plan without maxconn has a
// maximum, and maxconn may exceed it.
func TestPlanHoldsAsManyAsMaxconnAsksFor(t *testing.T) {
	if p := planned(t, "", 1<<40); p.MaxConn != mostUnasked {
		t.Errorf("%d connections without maxconn, want %d", p.MaxConn, mostUnasked)
	}
	if p := planned(t, "  maxconn 10000000", 1<<40); p.MaxConn != 10_000_000 || len(p.Problems) != 0 {
		t.Errorf("%d connections with maxconn 10000000, problems %v", p.MaxConn, p.Problems)
	}
}
