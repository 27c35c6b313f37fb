package report

import (
	"fmt"
	"image/color"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"sluice/bench/result"
)

func plotFile(scenario string) string { return scenario + ".svg" }

// Plot writes a plot of the part into dir. It has a group of bars per variant and a bar per
// proxy. The height of a bar is the median of the headline metric; a line goes from the minimum
// to the maximum.
func (p *Part) Plot(dir string) error {
	if len(p.Variants) == 0 {
		return nil
	}
	picture := plot.New()
	labels, common := p.labels()
	picture.Title.Text = strings.TrimSpace(p.Name + ": " + p.About + "\n" + common)
	picture.Y.Label.Text = p.Headlines[0]
	picture.Legend.Top, picture.Legend.Padding = true, vg.Points(2)
	picture.Add(plotter.NewGrid())
	names := proxies(p.Variants)
	const wide = vg.Length(14)
	for i, name := range names {
		offset := wide * (vg.Length(i) - vg.Length(len(names)-1)/2)
		if err := p.bars(picture, name, colorOf(name, i), wide, offset); err != nil {
			return fmt.Errorf("plot %s: %w", p.Name, err)
		}
	}
	picture.NominalX(labels...)
	picture.X.Min, picture.X.Max = -0.6, float64(len(labels))-0.4
	// Leave space for the legend above the highest bar.
	picture.Y.Max *= 1 + 0.08*float64(len(names))
	width := vg.Length(max(480, len(p.Variants)*max(220, len(names)*20)))
	if err := picture.Save(width, 320, filepath.Join(dir, plotFile(p.Name))); err != nil {
		return fmt.Errorf("plot %s: %w", p.Name, err)
	}
	return nil
}

// bars adds the bars of one proxy. A variant without this proxy gets no bar.
func (p *Part) bars(picture *plot.Plot, name string, fill color.Color, wide, offset vg.Length) error {
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
	chart.Color, chart.Offset, chart.LineStyle.Width = fill, offset, 0
	lines, err := plotter.NewYErrorBars(spread)
	if err != nil {
		return err
	}
	picture.Add(chart, moved{lines, offset})
	picture.Legend.Add(name, chart)
	return nil
}

// usual are the proxies that have the same color in all plots.
var usual = []string{"sluice", "haproxy", "haproxy-splice", "haproxy-map", "nginx", "floor", "direct"}

func colorOf(name string, i int) color.Color {
	if at := slices.Index(usual, name); at >= 0 {
		return plotutil.SoftColors[at%len(plotutil.SoftColors)]
	}
	return plotutil.DarkColors[i%len(plotutil.DarkColors)]
}

// labels returns two kinds of text: for each variant the parameters in which the variants
// differ, and the parameters that all variants have in common.
func (p *Part) labels() (labels []string, common string) {
	differ := map[string]any{}
	same := maps.Clone(p.Variants[0].Params)
	for _, v := range p.Variants {
		for name, value := range v.Params {
			if same[name] != value {
				delete(same, name)
				differ[name] = nil
			}
		}
	}
	for _, v := range p.Variants {
		own := maps.Clone(v.Params)
		maps.DeleteFunc(own, func(name string, _ any) bool { _, has := differ[name]; return !has })
		labels = append(labels, words(own, ""))
	}
	return labels, words(same, "")
}

func metric(v *result.Variant, proxy, name string) *result.Metric {
	if p := v.Find(proxy); p != nil {
		return p.Metrics[name]
	}
	return nil
}

// proxies returns the names of all proxies in the variants, in order of their first result.
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
