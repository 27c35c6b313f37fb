package result

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOf(t *testing.T) {
	for _, test := range []struct {
		runs             []float64
		median, min, max float64
	}{
		{[]float64{3}, 3, 3, 3},
		{[]float64{5, 1, 3}, 3, 1, 5},
		{[]float64{4, 1, 3, 2}, 2.5, 1, 4},
	} {
		want := &Metric{test.median, test.min, test.max, test.runs}
		if diff := cmp.Diff(want, Of(test.runs)); diff != "" {
			t.Error(diff)
		}
	}
	if Of(nil) != nil {
		t.Error("a figure of no runs")
	}
}

// TestRatioIsOfPairs: the ratio of the medians would be 2, but no pair has that ratio.
func TestRatioIsOfPairs(t *testing.T) {
	got := Ratio(Of([]float64{10, 20, 60}), Of([]float64{10, 40, 8}))
	if diff := cmp.Diff(Of([]float64{1, 0.5, 7.5}), got); diff != "" {
		t.Error(diff)
	}
	one := Of([]float64{1})
	for name, pair := range map[string][2]*Metric{
		"no reference":   {one, nil},
		"nothing":        {nil, one},
		"not as many":    {one, Of([]float64{1, 2})},
		"divided by 0":   {one, Of([]float64{0})},
		"below zero":     {one, Of([]float64{-1})},
		"neither of any": {nil, nil},
	} {
		if r := Ratio(pair[0], pair[1]); r != nil {
			t.Errorf("%s: %+v, wanted none", name, r)
		}
	}
}

func TestJSON(t *testing.T) {
	v := &Variant{Name: "conn-rate", Params: map[string]any{"clients": 64}}
	v.Proxy("sluice").Add(map[string]float64{"cpu_us_per_conn": 70})
	v.Proxy("sluice").Add(map[string]float64{"cpu_us_per_conn": 72})
	r := Report{Machine: map[string]any{"cpus": 2}, Scenarios: []*Variant{v}}
	var got strings.Builder
	if err := r.Write(&got); err != nil {
		t.Fatal(err)
	}
	flat := strings.Join(strings.Fields(got.String()), "")
	want := `{"machine":{"cpus":2},"scenarios":[{"name":"conn-rate","params":{"clients":64},"proxies":[` +
		`{"name":"sluice","metrics":{"cpu_us_per_conn":{"median":71,"min":70,"max":72,"runs":[70,72]}}}]}]}`
	if diff := cmp.Diff(want, flat); diff != "" {
		t.Error(diff)
	}
}
