package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/bench/result"
)

func variant(rules int, sluice, haproxy []float64) *result.Variant {
	v := &result.Variant{Name: "rules", Params: map[string]any{"rules": rules, "route": "host"}}
	for i := range sluice {
		v.Proxy("sluice").Add(map[string]float64{"cpu": sluice[i], "a": 1})
		v.Proxy("haproxy").Add(map[string]float64{"cpu": haproxy[i]})
	}
	return v
}

func part() *Part {
	return &Part{
		Name: "rules", About: "many rules", Headlines: []string{"cpu", "cpu"},
		Variants: []*result.Variant{
			variant(2, []float64{50, 60}, []float64{100, 100}),
			variant(100, []float64{50, 63}, []float64{200, 300}),
		},
	}
}

var refs = References{"haproxy", "absent"}

func TestRows(t *testing.T) {
	v := part().Variants[0]
	want := [][]string{
		{"metric", "proxy", "median", "min", "max", "/ haproxy"},
		{"cpu", "sluice", "55.0", "50.0", "60.0", "0.55 (0.50-0.60)"},
		{"cpu", "haproxy", "100", "100", "100", "1.00 (1.00-1.00)"},
		{"a", "sluice", "1.00", "1.00", "1.00", "-"},
	}
	if diff := cmp.Diff(want, append([][]string{refs.head(v)}, refs.rows(v, "cpu")...)); diff != "" {
		t.Error(diff)
	}
}

func TestGrowth(t *testing.T) {
	want := [][]string{
		{"route=host", "sluice", "rules 100", "2", "1.02 (1.00-1.05)"},
		{"route=host", "haproxy", "rules 100", "2", "2.50 (2.00-3.00)"},
	}
	if diff := cmp.Diff(want, part().growth()); diff != "" {
		t.Error(diff)
	}
}

func TestMarkdown(t *testing.T) {
	d := &Document{
		Command: "go run ./bench", Machine: map[string]any{"cpus": 2}, Notes: []string{"no nginx"},
		Peers: [][2]string{{"haproxy", "2.6"}}, Refs: refs,
		Parts: []*Part{part(), {Name: "reload", About: "later", Skip: "skipped: not yet"}},
	}
	var b strings.Builder
	if err := d.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"    go run ./bench\n", "Machine: cpus=2.", "Note: no nginx.", "| haproxy | 2.6 |", "![rules](rules.svg)",
		"### rules route=host rules=100\n", "| cpu | sluice | 55.0 | 50.0 | 60.0 | 0.55 (0.50-0.60) |",
		"### growth of cpu\n", "\nskipped: not yet.",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestTerminal(t *testing.T) {
	var b strings.Builder
	for _, p := range []*Part{part(), {Name: "reload", Skip: "skipped: not yet"}} {
		if err := p.Terminal(&b, refs); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"cpu     sluice   55.0", "reload: skipped: not yet", "growth of cpu"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestLabels(t *testing.T) {
	labels, common := part().labels()
	if diff := cmp.Diff([]string{"rules=2", "rules=100"}, labels); diff != "" || common != "route=host" {
		t.Errorf("%s common %q", diff, common)
	}
}

func TestPlot(t *testing.T) {
	dir := t.TempDir()
	p := part()
	p.Variants[1].Proxy("floor").Add(map[string]float64{"cpu": 1}) // has results in one variant only
	if err := p.Plot(dir); err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(filepath.Join(dir, "rules.svg"))
	if err != nil || !strings.Contains(string(svg), "</svg>") {
		t.Errorf("%.60q, %v", svg, err)
	}
}
