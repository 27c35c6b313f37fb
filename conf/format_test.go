package conf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func literal(text string) Part { return Part{Kind: Literal, Text: text} }

func TestFormats(t *testing.T) {
	src := []Call{{Name: "src"}}
	cases := []struct {
		text string
		use  formatUse
		want []Part
	}{
		{"", forValue, nil},
		{"a  b", forValue, []Part{literal("a  b")}},
		{"a  b", forLog, []Part{literal("a b")}},
		{"a %{+Q}o b %% ", forLog, []Part{literal("a b % ")}},
		{"100%% %%", forValue, []Part{literal("100% %")}},
		{"%ci:%cp", forValue, []Part{{Kind: Variable, Text: "ci"}, literal(":"), {Kind: Variable, Text: "cp"}}},
		{"%{+Q,+E}r%{-Q}r", forLog, []Part{{Kind: Variable, Text: "r", Flags: Quote | Escape}, {Kind: Variable, Text: "r"}}},
		{"%{+Q}o%ci%{-Q}cp%fi", forLog, []Part{
			{Kind: Variable, Text: "ci", Flags: Quote}, {Kind: Variable, Text: "cp"}, {Kind: Variable, Text: "fi", Flags: Quote},
		}},
		{"%[src]%{+X}[src]", forValue, []Part{{Kind: Sample, Text: "src", Expr: src}, {Kind: Sample, Text: "src", Expr: src, Flags: Hex}}},
		{`%[req.hdr("a]b"),field(1,\,)]]`, forValue, []Part{
			{Kind: Sample, Text: `req.hdr("a]b"),field(1,\,)`, Expr: []Call{{"req.hdr", []string{"a]b"}}, {"field", []string{"1", ","}}}}, literal("]"),
		}},
		{"%[src] %[capture.req.uri]", forLog, []Part{
			{Kind: Sample, Text: "src", Expr: src}, literal(" "), {Kind: Sample, Text: "capture.req.uri", Expr: []Call{{Name: "capture.req.uri"}}},
		}},
		{"%{+X,+Q}[src]", forLog, []Part{{Kind: Sample, Text: "src", Expr: src, Flags: Quote}}},
		{"a\nb", forBody, []Part{literal("a\nb")}},
	}
	for _, c := range cases {
		got, err := parseFormat(c.text, c.use)
		if err != nil {
			t.Errorf("%q: %s", c.text, err)
			continue
		}
		if diff := cmp.Diff(c.want, got.Parts); diff != "" || got.Text != c.text {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
}

// FuzzFormat: no format panics, and joining the parts of a format gives an equal format.
func FuzzFormat(f *testing.F) {
	for _, text := range []string{"%ci:%cp [%t] %%", `%{+Q,-E}o %[req.hdr("a]b"),lower] \1`, "%[src] %HM", "%{+X}Ts%", "%[a(')]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, use := range []formatUse{forLog, forValue, forBody} {
			format, err := parseFormat(text, use)
			if err != nil || format.glued() {
				continue
			}
			again, err := parseFormat(format.joined(), use)
			if err != nil {
				t.Fatalf("%q became %q: %s", text, format.joined(), err)
			}
			if diff := cmp.Diff(format.Parts, again.Parts); diff != "" {
				t.Fatalf("%q became %q: %s", text, format.joined(), diff)
			}
		}
	})
}

// glued reports whether the text after a variable would be parsed as a part of its name. That
// happens if a %o was between them.
func (f *Format) glued() bool {
	for i, p := range f.Parts[:max(len(f.Parts)-1, 0)] {
		if p.Kind == Variable && f.Parts[i+1].Kind == Literal && isAlnum(f.Parts[i+1].Text[0]) {
			return true
		}
	}
	return false
}

// joined joins the parts to a format string.
func (f *Format) joined() string {
	var b strings.Builder
	for _, p := range f.Parts {
		flags := "{-Q"
		for letter, flag := range formatFlags {
			if p.Flags&flag != 0 {
				flags += ",+" + string(letter)
			}
		}
		switch p.Kind {
		case Literal:
			b.WriteString(strings.ReplaceAll(p.Text, "%", "%%"))
		case Variable:
			b.WriteString("%" + flags + "}" + p.Text)
		case Sample:
			b.WriteString("%" + flags + "}[" + p.Text + "]")
		}
	}
	return b.String()
}
