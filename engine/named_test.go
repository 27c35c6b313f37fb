package engine

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const repository = ".."

// TestDocumentsNameFilesThatExist: files and packages of this repository that a document names exist.
func TestDocumentsNameFilesThatExist(t *testing.T) {
	named := regexp.MustCompile("`(?:bench|cmd|conf|docs|engine|pool|sniff)/[A-Za-z0-9_./-]+`")
	found := 0
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		documents, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range documents {
			if filepath.Base(document) == "CHANGELOG.md" { // tells of files as they were
				continue
			}
			for _, name := range named.FindAllString(read(t, document), -1) {
				found++
				if _, err := os.Stat(filepath.Join(repository, strings.Trim(name, "`"))); err != nil {
					t.Errorf("%s names %s: %v", document, name, err)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d names of files were found", found)
	}
}

// TestFaultsApply: each diff of testdata/faults fits the file that it changes. Otherwise nothing shows
// that the simulation still finds that fault.
func TestFaultsApply(t *testing.T) {
	faults, err := filepath.Glob("testdata/faults/*.diff")
	if err != nil || len(faults) == 0 {
		t.Fatal(len(faults), err)
	}
	for _, fault := range faults {
		files := strings.Split(read(t, fault), "\n--- a/")
		for _, changes := range files[1:] {
			name, rest, _ := strings.Cut(changes, "\n")
			source := read(t, filepath.Join(repository, name))
			hunks := strings.Split(rest, "\n@@ ")
			for _, hunk := range hunks[1:] {
				if old := oldLines(hunk); strings.Count(source, old) != 1 {
					t.Errorf("%s does not fit %s: these lines occur %d times; want once\n%s", fault, name, strings.Count(source, old), old)
				}
			}
			if len(files) < 2 || len(hunks) < 2 {
				t.Errorf("%s changes nothing in %s", fault, name)
			}
		}
	}
}

// oldLines returns the lines of a hunk as they are before the change. The first line of the hunk is its
// place.
func oldLines(hunk string) string {
	var old strings.Builder
	for _, line := range strings.Split(hunk, "\n")[1:] {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "-") {
			old.WriteString(line[1:] + "\n")
		}
	}
	return old.String()
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
