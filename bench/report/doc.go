// Package report shows results to people: a table in the terminal, Markdown,
// and one plot a scenario. It computes nothing that could not be computed from
// the JSON file, and owns nothing.
package report
