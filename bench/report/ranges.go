package report

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ranges are the tops of bars, each with the distances to its minimum and its maximum.
type ranges struct {
	plotter.XYs
	plotter.YErrors
}

// moved draws error bars at a horizontal offset, because their bars have that offset too.
type moved struct {
	*plotter.YErrorBars
	offset vg.Length
}

// Plot implements plot.Plotter.
func (m moved) Plot(c draw.Canvas, p *plot.Plot) {
	c.Push()
	c.Translate(vg.Point{X: m.offset})
	m.YErrorBars.Plot(c, p)
	c.Pop()
}
