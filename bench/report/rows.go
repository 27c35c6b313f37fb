package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"sluice/bench/result"
)

// References are the names of the peers with which all proxies are compared.
type References []string

// of returns the references that have results in a variant.
func (r References) of(v *result.Variant) []string {
	return slices.DeleteFunc(slices.Clone(r), func(name string) bool { return v.Find(name) == nil })
}

// head returns the first row of a variant's table.
func (r References) head(v *result.Variant) []string {
	row := []string{"metric", "proxy", "median", "min", "max"}
	for _, name := range r.of(v) {
		row = append(row, "/ "+name)
	}
	return row
}

// rows returns one row per metric and proxy.
func (r References) rows(v *result.Variant, headline string) [][]string {
	var all [][]string
	for _, metric := range ordered(v, headline) {
		for _, p := range v.Proxies {
			m := p.Metrics[metric]
			if m == nil {
				continue
			}
			row := []string{metric, p.Name, number(m.Median), number(m.Min), number(m.Max)}
			for _, name := range r.of(v) {
				row = append(row, ratio(result.Ratio(m, v.Find(name).Metrics[metric])))
			}
			all = append(all, row)
		}
	}
	return all
}

// ordered returns the names of the metrics, the headline metric first.
func ordered(v *result.Variant, headline string) []string {
	names := v.Metrics()
	at := slices.Index(names, headline)
	if at < 0 {
		return names
	}
	return slices.Insert(slices.Delete(names, at, at+1), 0, headline)
}

// ratio formats a ratio: its median, and its range if there is more than one run.
func ratio(m *result.Metric) string {
	switch {
	case m == nil:
		return "-"
	case len(m.Runs) == 1:
		return fmt.Sprintf("%.2f", m.Median)
	}
	return fmt.Sprintf("%.2f (%.2f-%.2f)", m.Median, m.Min, m.Max)
}

// number formats a figure without exponent and with at least three digits, except for values
// below 1.
func number(x float64) string {
	switch size := math.Abs(x); {
	case size == 0:
		return "0"
	case size >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case size >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// title returns a variant's name with its parameters.
func title(v *result.Variant) string { return v.Name + " " + words(v.Params, "") }

// words returns the parameters as text, except the parameter without.
func words(params map[string]any, without string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name != without {
			all = append(all, fmt.Sprintf("%s=%v", name, params[name]))
		}
	}
	return strings.Join(all, " ")
}
