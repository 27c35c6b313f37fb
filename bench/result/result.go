package result

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Report contains all results of a run.
type Report struct {
	Machine   map[string]any `json:"machine"`
	Scenarios []*Variant     `json:"scenarios"`
}

// Variant contains the results of a scenario with one set of parameters.
type Variant struct {
	Name    string         `json:"name"`
	Params  map[string]any `json:"params"`
	Proxies []*Proxy       `json:"proxies"`
}

// Proxy contains the results of one proxy in a variant.
type Proxy struct {
	Name    string             `json:"name"`
	Metrics map[string]*Metric `json:"metrics"`
}

// Metric is one figure over all rounds. Its name contains the unit.
type Metric struct {
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	Runs   []float64 `json:"runs"` // in the order of the rounds
}

// Proxy returns the results of a proxy. If there are none, it adds empty ones.
func (v *Variant) Proxy(name string) *Proxy {
	if p := v.Find(name); p != nil {
		return p
	}
	p := &Proxy{Name: name, Metrics: map[string]*Metric{}}
	v.Proxies = append(v.Proxies, p)
	return p
}

// Find returns the results of a proxy, or nil if there are none.
func (v *Variant) Find(name string) *Proxy {
	for _, p := range v.Proxies {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Metrics returns the names of all metrics of the variant, sorted.
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

// Add appends the figures of one round, by name of the metric.
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

// Of returns the statistics of runs, or nil for no runs. With an even number of runs the median
// is the mean of the middle two.
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

// Ratio divides the figures of each pair of runs and returns the statistics of the quotients.
// It returns nil if the metrics are missing, have different numbers of runs, or if a divisor is
// not above 0.
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
