package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"sluice/bench/result"
)

// Part contains the results of one scenario.
type Part struct {
	Name      string
	About     string
	Skip      string   // reason why there are no results; empty: there are results
	Headlines []string // name of the most important metric, one per variant
	Variants  []*result.Variant
}

// Terminal writes the tables of a part as text for a terminal.
func (p *Part) Terminal(w io.Writer, refs References) error {
	if p.Skip != "" {
		_, err := fmt.Fprintf(w, "\n%s: %s\n", p.Name, p.Skip)
		return err
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, v := range p.Variants {
		fmt.Fprintf(out, "\n%s\n", title(v))
		for _, row := range append([][]string{refs.head(v)}, refs.rows(v, p.Headlines[i])...) {
			fmt.Fprintln(out, strings.Join(row, "\t"))
		}
	}
	if rows := p.growth(); len(rows) > 0 {
		fmt.Fprintf(out, "\n%s, growth of %s\n", p.Name, p.Headlines[0])
		for _, row := range append([][]string{growthHead}, rows...) {
			fmt.Fprintln(out, strings.Join(row, "\t"))
		}
	}
	return out.Flush()
}

func (p *Part) growth() [][]string {
	if len(p.Headlines) == 0 {
		return nil
	}
	return Growth(p.Variants, p.Headlines[0])
}

// Document contains the whole report.
type Document struct {
	Command string
	Machine map[string]any
	Notes   []string    // missing programs, and other differences from a complete run
	Peers   [][2]string // name and description
	Parts   []*Part
	Refs    References
}

// Markdown writes the report. It refers to the plots, which Plot writes into the same
// directory.
func (d *Document) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmark\n\n    %s\n\nMachine: %s.\n\n", d.Command, words(d.Machine, "peers"))
	for _, note := range d.Notes {
		fmt.Fprintf(&b, "Note: %s.\n\n", note)
	}
	b.WriteString("| proxy | what it is |\n|---|---|\n")
	for _, p := range d.Peers {
		fmt.Fprintf(&b, "| %s | %s |\n", p[0], p[1])
	}
	b.WriteString("\nRatios are made round by round: median (min-max). What each row means: bench/README.md.\n")
	for _, p := range d.Parts {
		p.markdown(&b, d.Refs)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *Part) markdown(b *strings.Builder, refs References) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n", p.Name, p.About)
	if p.Skip != "" {
		fmt.Fprintf(b, "\n%s.\n", p.Skip)
		return
	}
	fmt.Fprintf(b, "\n![%s](%s)\n", p.Name, plotFile(p.Name))
	for i, v := range p.Variants {
		fmt.Fprintf(b, "\n### %s\n\n", title(v))
		grid(b, refs.head(v), refs.rows(v, p.Headlines[i]))
	}
	if rows := p.growth(); len(rows) > 0 {
		fmt.Fprintf(b, "\n### growth of %s\n\n", p.Headlines[0])
		grid(b, growthHead, rows)
	}
}

func grid(b *strings.Builder, head []string, rows [][]string) {
	fmt.Fprintf(b, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, row := range rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
}
