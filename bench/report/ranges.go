package report

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ranges are bars' tops with the way down to the lowest and up to the highest.
type ranges struct {
	plotter.XYs
	plotter.YErrors
}

// moved draws error bars beside their place, on top of a bar that has moved.
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
