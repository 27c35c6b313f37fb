package report

import (
	"fmt"

	"sluice/bench/result"
)

// growing are the parameters that increase the load. The report shows how a figure grows with
// them.
var growing = []string{"rules", "idle", "slow"}

// Growth returns one row per proxy and variant: the ratio between its headline metric and that
// of a base variant. The base is the first variant that differs only in a growing parameter.
// The ratio is computed run by run.
func Growth(variants []*result.Variant, headline string) [][]string {
	var rows [][]string
	for i, v := range variants {
		for _, param := range growing {
			base := first(variants[:i], v, param)
			if base == nil {
				continue
			}
			for _, p := range v.Proxies {
				if b := base.Find(p.Name); b != nil {
					rows = append(rows, []string{
						words(v.Params, param), p.Name, fmt.Sprintf("%s %v", param, v.Params[param]),
						fmt.Sprint(base.Params[param]), ratio(result.Ratio(p.Metrics[headline], b.Metrics[headline])),
					})
				}
			}
		}
	}
	return rows
}

var growthHead = []string{"with", "proxy", "at", "to", "ratio"}

// first returns the first earlier variant whose parameters are equal to v's except for param.
// It returns nil if there is none.
func first(earlier []*result.Variant, v *result.Variant, param string) *result.Variant {
	if _, has := v.Params[param]; !has {
		return nil
	}
	for _, e := range earlier {
		if words(e.Params, param) == words(v.Params, param) {
			return e
		}
	}
	return nil
}
