// Package report formats results for readers: tables in the terminal, a Markdown file, and one
// plot per scenario. All its figures can be computed from the JSON file. It keeps no state.
package report
