package sniff

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// sample is one input of the reference corpus, with the row that describes it.
type sample struct {
	name    string
	verdict string
	want    []string // the columns after the verdict
	data    []byte
}

// corpus reads a directory of the reference corpus where it is. The corpus belongs to its
// authors and is not part of this repository.
func corpus(t *testing.T, folder string) []sample {
	t.Helper()
	root := os.Getenv("SLUICE_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "corpus")
	}
	dir := filepath.Join(root, folder)
	index, err := os.Open(filepath.Join(dir, "index.tsv"))
	if os.IsNotExist(err) {
		t.Skipf("the reference corpus is not here (SLUICE_CORPUS names its folder): %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	return readIndex(t, dir, bufio.NewScanner(index))
}

func readIndex(t *testing.T, dir string, lines *bufio.Scanner) (all []sample) {
	t.Helper()
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		row := strings.Split(lines.Text(), "\t")
		if strings.HasPrefix(row[0], "#") || row[0] == "file" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, row[0]))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, sample{row[0], row[1], row[2:], data})
	}
	if err := lines.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%s: %d rows, %v", dir, len(all), err)
	}
	return all
}

func TestCorpusHello(t *testing.T) {
	for _, c := range corpus(t, "clienthello") {
		t.Run(c.name, func(t *testing.T) {
			got := checkCuts(t, c.data)
			checkHello(t, c, &got.TLS)
		})
	}
}

func checkHello(t *testing.T, c sample, h *Hello) {
	t.Helper()
	sni := "-"
	if len(h.SNI) > 0 {
		sni = string(h.SNI)
	}
	alpn := offered(h)
	switch c.verdict {
	case "tls":
		wantALPN := strings.TrimPrefix(c.want[1], "-")
		wantSNI := strings.TrimSuffix(strings.ToLower(c.want[0]), ".")
		if h.Verdict != Yes || sni != wantSNI || alpn != wantALPN {
			t.Errorf("verdict %v, sni %q, alpn %q; want yes, %q, %q", h.Verdict, sni, alpn, wantSNI, wantALPN)
		}
		if v := versionName(h.Version); v != c.want[4] && c.want[4] != "-" {
			t.Errorf("version %s, want %s", v, c.want[4])
		}
		if strings.Contains(c.want[5], "ech") != h.ECH {
			t.Errorf("ech %v, tags %s", h.ECH, c.want[5])
		}
	case "tls-hostile-sni":
		want, err := strconv.Unquote(`"` + c.want[0] + `"`)
		if err != nil || string(h.SNI) != strings.ToLower(want) || h.Name() != nil {
			t.Errorf("sni %q, name %q; want %q and no name, %v", h.SNI, h.Name(), want, err)
		}
	case "incomplete":
		if h.Verdict != More {
			t.Errorf("verdict %v, want more", h.Verdict)
		}
	case "not-tls", "too-large":
		if h.Verdict != No {
			t.Errorf("verdict %v, want no", h.Verdict)
		}
	case "malformed", "sslv2":
		if h.Verdict == More || sni != "-" && sni != c.want[0] {
			t.Errorf("verdict %v, sni %q; want an answer and no name but %s", h.Verdict, sni, c.want[0])
		}
	default:
		t.Errorf("verdict %q of the corpus is not known", c.verdict)
	}
}

func TestCorpusHead(t *testing.T) {
	for _, c := range corpus(t, "http") {
		t.Run(c.name, func(t *testing.T) {
			got := checkCuts(t, c.data)
			checkHead(t, c, &got.HTTP)
		})
	}
}

func checkHead(t *testing.T, c sample, h *Head) {
	t.Helper()
	host, usable := h.Host()
	want := c.want[0]
	if want == "-" {
		want = ""
	}
	switch c.verdict {
	case "http":
		if h.Verdict != Yes || string(host) != want || usable != (want != "") {
			t.Errorf("verdict %v, host %q; want yes, %q", h.Verdict, host, want)
		}
	case "reject":
		if h.Verdict == Yes {
			t.Errorf("verdict %v, host %q; want no", h.Verdict, host)
		}
	case "incomplete":
		if h.Verdict != More {
			t.Errorf("verdict %v, want more", h.Verdict)
		}
	case "not-http":
		if h.Verdict != No {
			t.Errorf("verdict %v, want no", h.Verdict)
		}
	case "h2-preface":
		if h.Verdict != No || !h.H2 {
			t.Errorf("verdict %v, h2 %v; want no, true", h.Verdict, h.H2)
		}
	case "either":
		if h.Verdict == More || usable && string(host) != want {
			t.Errorf("verdict %v, host %q; want an answer and no host but %q", h.Verdict, host, want)
		}
	default:
		t.Errorf("verdict %q of the corpus is not known", c.verdict)
	}
}
