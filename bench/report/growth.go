package report

import (
	"fmt"

	"sluice/bench/result"
)

// growing are the parameters whose growth is a question of its own: what does
// the same work cost with more of it.
var growing = []string{"rules", "idle", "slow"}

// Growth has one row for each proxy and variant: its headline divided by that of
// the first variant that differs in the growing parameter only, run by run.
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

// first is the earliest variant that has the same parameters but for one.
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
