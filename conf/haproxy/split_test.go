package haproxy

import (
	"slices"
	"strings"
	"testing"
)

func env(name string) (string, bool) {
	value, ok := map[string]string{"HOME": "/root", "A1": "a b", "EMPTY": ""}[name]
	return value, ok
}

// The expected words are those that HAProxy 2.6 showed in its messages.
func TestSplitCutsAsHAProxyDoes(t *testing.T) {
	for line, want := range map[string][]string{
		"":                       nil,
		"   \t \r\n":             nil,
		"# all comment":          nil,
		"a b\tc":                 {"a", "b", "c"},
		"a # b":                  {"a"},
		"a#b c":                  {"a"},
		`a\#b`:                   {"a#b"},
		`"a#b" # c`:              {"a#b"},
		`a\ b c`:                 {"a b", "c"},
		`"a b" 'c d'`:            {"a b", "c d"},
		`a"b"'c'd`:               {"abcd"},
		`"" ''`:                  {"", ""},
		`a\x41b\n\t\r`:           {"aAb\n\t\r"},
		`"a\x41b\ c"`:            {"aAb c"},
		`'a\x41'b"c'd"`:          {`a\x41bc'd`},
		`a\qb`:                   {`a\qb`},
		`"a\qb\$x$HOME"`:         {`a\qb$x/root`},
		`a\$b $HOME`:             {`a\$b`, "$HOME"},
		`'$HOME'`:                {"$HOME"},
		`"${HOME}/${NOPE}x"`:     {"/root/x"},
		`"${NOPE-def} ${A1-no}"`: {"def a b"},
		`"${EMPTY-def}$A1"`:      {"a b"},
		`\\ \" \'`:               {`\`, `"`, `'`},
		"\u00e9t\u00e9 \xe9":     {"\u00e9t\u00e9", "\xe9"},
	} {
		got, err := Split(line, env)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v, wanted %q", line, got, err, want)
		}
	}
}

func TestSplitRefusesWhatHAProxyRefuses(t *testing.T) {
	for line, want := range map[string]string{
		`"a`:          "unmatched quote",
		`'a`:          "unmatched quote",
		`a\`:          "a backslash ends the line",
		`\xg1`:        "two hexadecimal digits",
		`\x4`:         "two hexadecimal digits",
		`\x+1`:        "two hexadecimal digits",
		`\x00`:        "NUL",
		"a\x00b":      "NUL",
		`"$"`:         "without a variable's name",
		`"${}"`:       "without a variable's name",
		`"${HOME"`:    "not closed",
		`"${HOME+x}"`: "wanted ${NAME}",
	} {
		if got, err := Split(line, env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, %v, wanted an error with %q", line, got, err, want)
		}
	}
}

func TestLinesAreNumberedAndEmptyOnesLeftOut(t *testing.T) {
	text := "\xef\xbb\xbfglobal\r\n\n# comment\n  maxconn 10\n 'x\nend"
	var got []string
	for l := range Lines([]byte(text), env) {
		if l.Err != nil {
			got = append(got, "error")
			continue
		}
		got = append(got, string(rune('0'+l.Number))+" "+strings.Join(l.Words, "|"))
	}
	want := []string{"1 global", "4 maxconn|10", "error", "6 end"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, wanted %q", got, want)
	}
}

func TestJoinPrefersTheLeastQuoting(t *testing.T) {
	got := Join([]string{"plain", "a b", "", "it's", `c"d`, "$HOME", "it's $5", "\xff", "a#b"})
	want := `plain 'a b' '' "it's" 'c"d' $HOME "it's \$5" "\xff" 'a#b'`
	if got != want {
		t.Errorf("got %s, wanted %s", got, want)
	}
}

// FuzzSplit checks that no line panics, and that Join is the inverse of Split.
func FuzzSplit(f *testing.F) {
	for _, line := range []string{`a "b c" 'd' # e`, `\x41\n "${HOME-x}$A1"`, "\xff\x80 \\", `''""`} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words, err := Split(line, env)
		if err != nil {
			return
		}
		again, err := Split(Join(words), env)
		if err != nil || !slices.Equal(again, words) {
			t.Fatalf("%q became %q, then %q, %v", words, Join(words), again, err)
		}
	})
}
