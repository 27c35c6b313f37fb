//go:build !simulation

package engine

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// webCase is one client's connection, and the steps of the client and the servers on it.
// testdata/web/README.md describes the format.
type webCase struct {
	name     string
	frontend []string // lines of the configuration
	backend  []string
	client   []webStep
	servers  []webStep
	differs  string // heading of docs/http.md that explains a difference from HAProxy
	gets     string // with differs: start of the bytes that the client gets from Sluice
	passes   string // with differs: start of the bytes that the first server gets
	logged   string // heading of docs/http.md that explains why only the log differs
}

type webStep struct{ do, text string }

// webCases reads the scripts, by file name.
func webCases(t *testing.T) map[string][]*webCase {
	t.Helper()
	files, err := filepath.Glob("testdata/web/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	all := map[string][]*webCase{}
	for _, file := range files {
		cases, err := readWebCases(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".txt")] = cases
	}
	return all
}

func readWebCases(path string) (cases []*webCase, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	var shared []string
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#':
			continue
		case word == "backends":
			shared = []string{rest}
			continue
		case word == "case":
			cases = append(cases, &webCase{name: rest, backend: shared})
			continue
		case len(cases) == 0:
			err = fmt.Errorf("%q before the first case", line)
		default:
			err = cases[len(cases)-1].add(word, rest)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, number, err)
		}
	}
	return cases, lines.Err()
}

func (c *webCase) add(word, rest string) (err error) {
	switch word {
	case "frontend":
		c.frontend = append(c.frontend, rest)
		return nil
	case "backend":
		c.backend = append(slices.Clip(c.backend), rest)
		return nil
	case "differs":
		c.differs = rest
		return nil
	case "logged":
		c.logged = rest
		return nil
	}
	text, err := webText(rest)
	switch word {
	case "send", "hear", "half", "end":
		c.client = append(c.client, webStep{word, text})
	case "take", "answer", "more", "close", "gone":
		c.servers = append(c.servers, webStep{word, text})
	case "gets":
		c.gets = text
	case "passes":
		c.passes = text
	default:
		return fmt.Errorf("%q; want a word of testdata/web/README.md", word)
	}
	return err
}

var repeated = regexp.MustCompile(`\{(.+?)\*(\d+)\}`)

// webText parses a text of a script: a bar ends a line, {x*n} means n times x, and escapes are
// as in Go.
func webText(text string) (string, error) {
	text = repeated.ReplaceAllStringFunc(text, func(found string) string {
		parts := repeated.FindStringSubmatch(found)
		n, _ := strconv.Atoi(parts[2])
		return strings.Repeat(parts[1], n)
	})
	text = strings.NewReplacer("|", `\r\n`, `"`, `\"`).Replace(text)
	return strconv.Unquote(`"` + text + `"`)
}

// chooses reports whether the case also needs the second server.
func (c *webCase) chooses() bool {
	return slices.ContainsFunc(c.backend, func(line string) bool {
		return strings.HasPrefix(line, "cookie ") || strings.HasPrefix(line, "balance ")
	})
}

// webConfig returns the configuration of all cases. Case number i has a frontend and a backend
// of that name.
func webConfig(cases []*webCase, servers *webServers) string {
	var b strings.Builder
	b.WriteString(webDefaults)
	for i, c := range cases {
		fmt.Fprintf(&b, "frontend c%d\n  bind 127.0.1.%[1]d:1\n  default_backend c%[1]d\n", i)
		for _, line := range c.frontend {
			fmt.Fprintf(&b, "  %s\n", line)
		}
		fmt.Fprintf(&b, "backend c%d\n", i)
		for _, line := range c.backend {
			fmt.Fprintf(&b, "  %s\n", line)
		}
		for name, at := range servers.each() {
			if name == "a" || c.chooses() {
				fmt.Fprintf(&b, "  server %s %s cookie %[1]s\n", name, at)
			}
		}
	}
	return b.String()
}
