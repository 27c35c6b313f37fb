package result

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Report is everything that was measured.
type Report struct {
	Machine   map[string]any `json:"machine"`
	Scenarios []*Variant     `json:"scenarios"`
}

// Variant is a scenario with one set of parameters.
type Variant struct {
	Name    string         `json:"name"`
	Params  map[string]any `json:"params"`
	Proxies []*Proxy       `json:"proxies"`
}

// Proxy is one proxy's part of a variant.
type Proxy struct {
	Name    string             `json:"name"`
	Metrics map[string]*Metric `json:"metrics"`
}

// Metric is one figure over the rounds. Its name says the unit.
type Metric struct {
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	Runs   []float64 `json:"runs"` // in the order of the rounds
}

// Proxy returns the part of a proxy, and begins it if there is none.
func (v *Variant) Proxy(name string) *Proxy {
	if p := v.Find(name); p != nil {
		return p
	}
	p := &Proxy{Name: name, Metrics: map[string]*Metric{}}
	v.Proxies = append(v.Proxies, p)
	return p
}

// Find returns the part of a proxy, or nil.
func (v *Variant) Find(name string) *Proxy {
	for _, p := range v.Proxies {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Metrics are the names of all metrics of the variant, sorted.
func (v *Variant) Metrics() []string {
	var names []string
	for _, p := range v.Proxies {
		for name := range p.Metrics {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// Add appends the figures of one round.
func (p *Proxy) Add(round map[string]float64) {
	for name, value := range round {
		m := p.Metrics[name]
		if m == nil {
			m = &Metric{}
			p.Metrics[name] = m
		}
		m.Runs = append(m.Runs, value)
		*m = *Of(m.Runs)
	}
}

// Of sums runs up. With an even number of them the median is the mean of the
// middle two. Without any it returns nil.
func Of(runs []float64) *Metric {
	if len(runs) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(runs))
	mid := len(sorted) / 2
	median := sorted[mid]
	if len(sorted)%2 == 0 {
		median = (sorted[mid-1] + sorted[mid]) / 2
	}
	return &Metric{Median: median, Min: sorted[0], Max: sorted[len(sorted)-1], Runs: runs}
}

// Ratio divides run by run and sums up the quotients. It is nil where there is
// nothing to compare: no runs, not equally many, or one that is not above 0.
func Ratio(of, to *Metric) *Metric {
	if of == nil || to == nil || len(of.Runs) != len(to.Runs) {
		return nil
	}
	var quotients []float64
	for i := range of.Runs {
		if to.Runs[i] <= 0 {
			return nil
		}
		quotients = append(quotients, of.Runs[i]/to.Runs[i])
	}
	return Of(quotients)
}

// Write writes the report as JSON.
func (r *Report) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
