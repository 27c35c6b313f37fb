package report

import (
	"fmt"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"sluice/bench/result"
)

func plotFile(scenario string) string { return scenario + ".svg" }

// Plot draws a part into dir: a group of bars for each variant, a bar for each
// proxy, as high as the median of the headline, with a line from min to max.
func (p *Part) Plot(dir string) error {
	if len(p.Variants) == 0 {
		return nil
	}
	picture := plot.New()
	picture.Title.Text = p.Name + ": " + p.About
	picture.Y.Label.Text = p.Headlines[0]
	picture.Legend.Top = true
	picture.Add(plotter.NewGrid())
	names := proxies(p.Variants)
	const wide = vg.Length(14)
	for i, name := range names {
		offset := wide * (vg.Length(i) - vg.Length(len(names)-1)/2)
		if err := p.bars(picture, name, i, wide, offset); err != nil {
			return fmt.Errorf("plot %s: %w", p.Name, err)
		}
	}
	var labels []string
	for _, v := range p.Variants {
		labels = append(labels, words(v.Params, ""))
	}
	picture.NominalX(labels...)
	// Room for the legend above the highest bar.
	picture.Y.Max *= 1 + 0.08*float64(len(names))
	width := vg.Length(max(480, len(p.Variants)*max(220, len(names)*20)))
	if err := picture.Save(width, 320, filepath.Join(dir, plotFile(p.Name))); err != nil {
		return fmt.Errorf("plot %s: %w", p.Name, err)
	}
	return nil
}

// bars adds one proxy's bars. Where it did not take part there is none.
func (p *Part) bars(picture *plot.Plot, name string, color int, wide, offset vg.Length) error {
	values, spread := make(plotter.Values, len(p.Variants)), &ranges{}
	for i, v := range p.Variants {
		m := metric(v, name, p.Headlines[i])
		if m == nil {
			continue
		}
		values[i] = m.Median
		spread.XYs = append(spread.XYs, plotter.XY{X: float64(i), Y: m.Median})
		spread.YErrors = append(spread.YErrors, struct{ Low, High float64 }{m.Median - m.Min, m.Max - m.Median})
	}
	if len(spread.XYs) == 0 {
		return nil
	}
	chart, err := plotter.NewBarChart(values, wide)
	if err != nil {
		return err
	}
	chart.Color, chart.Offset, chart.LineStyle.Width = plotutil.Color(color), offset, 0
	lines, err := plotter.NewYErrorBars(spread)
	if err != nil {
		return err
	}
	picture.Add(chart, moved{lines, offset})
	picture.Legend.Add(name, chart)
	return nil
}

func metric(v *result.Variant, proxy, name string) *result.Metric {
	if p := v.Find(proxy); p != nil {
		return p.Metrics[name]
	}
	return nil
}

// proxies are the names of all that took part, in the order of their coming.
func proxies(variants []*result.Variant) []string {
	var names []string
	seen := map[string]bool{}
	for _, v := range variants {
		for _, p := range v.Proxies {
			if !seen[p.Name] {
				seen[p.Name] = true
				names = append(names, p.Name)
			}
		}
	}
	return names
}
