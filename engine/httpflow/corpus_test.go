package httpflow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/sniff"
)

// TestCorpus reads the request heads of the test suites of public parsers. These belong to their
// authors and are not part of this repository. Heads that a suite calls broken, or another
// protocol, must be refused. Valid requests must be accepted with the host that the suite names, or
// refused for a reason that doc.go lists.
func TestCorpus(t *testing.T) {
	root := os.Getenv("SLUICE_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	index, err := os.ReadFile(filepath.Join(root, "http", "index.tsv"))
	if os.IsNotExist(err) {
		t.Skipf("the reference corpus is not here (SLUICE_CORPUS names its folder): %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for row := range strings.Lines(string(index)) {
		columns := strings.Split(row, "\t")
		if len(columns) < 3 || columns[0] == "file" || strings.HasPrefix(row, "#") {
			continue
		}
		t.Run(columns[0], func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(root, "http", columns[0]))
			if err != nil {
				t.Fatal(err)
			}
			checkRequests(t, string(b), requests(b))
			checkSample(t, b, columns[1], columns[2])
		})
	}
}

func checkSample(t *testing.T, b []byte, verdict, host string) {
	t.Helper()
	var x Exchange
	var st sniff.State
	var f sniff.Facts
	n, status := x.Ask(scanner, &st, b, &f)
	switch verdict {
	case "reject", "not-http", "h2-preface":
		if n > 0 {
			t.Errorf("%q is %s, and taken", b, verdict)
		}
	case "http":
		got, _ := f.HTTP.Host()
		if n == 0 && status != 400 && status != 413 && status != 501 || n > 0 && host != "-" && string(got) != host {
			t.Errorf("%q: %d bytes, status %d, host %q, want %q", b, n, status, got, host)
		}
		if n == 0 && !strict(&f.HTTP) {
			t.Errorf("%q is refused with %d", b, status)
		}
	}
}

// strict reports whether a head that package sniff accepts may be refused here.
func strict(h *sniff.Head) bool {
	old := strings.HasSuffix(string(h.Version), ".0")
	if old && h.ContentLength > 0 && bare[string(h.Method)] {
		return true
	}
	return h.Folded || !Has(h, "host") && !old || h.Chunked && (h.ContentLength >= 0 || old) || string(h.Method) == "CONNECT" ||
		Has(h, "upgrade") && !Has(h, "sec-websocket-key")
}
