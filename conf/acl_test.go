package conf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestACLs(t *testing.T) {
	for text, want := range map[string]ACL{
		"a src 10.0.0.0/8 ::1":            {Name: "a", Keyword: "src", Patterns: []string{"10.0.0.0/8", "::1"}},
		"a hdr_end(host) -i .example.org": {Name: "a", Keyword: "hdr_end", Args: []string{"host"}, IgnoreCase: true, Patterns: []string{".example.org"}},
		"a hdr(host),field(1,:),lower -m end -f /x -f /y z": {Name: "a", Keyword: "hdr", Args: []string{"host"},
			Converters: []Call{{"field", []string{"1", ":"}}, {Name: "lower"}}, Match: "end", Files: []string{"/x", "/y"}, Patterns: []string{"z"}},
		"a src -n -u 3 -- -i":  {Name: "a", Keyword: "src", Patterns: []string{"-i"}},
		"a.b:c_d src":          {Name: "a.b:c_d", Keyword: "src"},
		"a wait_end()":         {Name: "a", Keyword: "wait_end"},
		`a x("a,b",'c)','',)`:  {Name: "a", Keyword: "x", Args: []string{"a,b", "c)", "", ""}},
		`a x(a\,b,\q,\\,"\t")`: {Name: "a", Keyword: "x", Args: []string{"a,b", `\q`, `\`, "\t"}},
	} {
		got, err := ParseACL(Pos{}, strings.Fields(text))
		if diff := cmp.Diff(&want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", text, err, diff)
			continue
		}
		again, err := ParseACL(Pos{}, got.Words())
		if diff := cmp.Diff(got, again); err != nil || diff != "" {
			t.Errorf("%s became %s: %v %s", text, got, err, diff)
		}
	}
}

func TestConditions(t *testing.T) {
	src := &ACL{Keyword: "src", Patterns: []string{"10.0.0.0/8"}}
	for text, want := range map[string]Cond{
		"if a":                        {Any: [][]Term{{{Name: "a"}}}, Text: "if a"},
		"unless a b":                  {Unless: true, Any: [][]Term{{{Name: "a"}, {Name: "b"}}}, Text: "unless a b"},
		"if a !b or ! c":              {Any: [][]Term{{{Name: "a"}, {Not: true, Name: "b"}}, {{Not: true, Name: "c"}}}, Text: "if a !b || !c"},
		"if !!a":                      {Any: [][]Term{{{Name: "a"}}}, Text: "if a"},
		"if { src 10.0.0.0/8 } || !a": {Any: [][]Term{{{Anon: src}}, {{Not: true, Name: "a"}}}, Text: "if { src 10.0.0.0/8 } || !a"},
		"if !{ src 10.0.0.0/8 }":      {Any: [][]Term{{{Not: true, Anon: src}}}, Text: "if ! { src 10.0.0.0/8 }"},
	} {
		got, err := ParseCond(Pos{}, strings.Fields(text))
		if diff := cmp.Diff(&want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
}

func TestPredefinedACLs(t *testing.T) {
	get, ok := PredefinedACL("METH_GET")
	if !ok || get.String() != "METH_GET method GET HEAD" {
		t.Errorf("got %v, %v", get, ok)
	}
	for _, name := range []string{
		"FALSE", "HTTP", "HTTP_1.0", "HTTP_1.1", "HTTP_2.0", "HTTP_CONTENT", "HTTP_URL_ABS", "HTTP_URL_SLASH", "HTTP_URL_STAR",
		"LOCALHOST", "METH_CONNECT", "METH_DELETE", "METH_GET", "METH_HEAD", "METH_OPTIONS", "METH_POST", "METH_PUT",
		"METH_TRACE", "RDP_COOKIE", "REQ_CONTENT", "TRUE", "WAIT_END",
	} {
		if _, ok := PredefinedACL(name); !ok {
			t.Errorf("%s is not known", name)
		}
	}
	if _, ok := PredefinedACL("true"); ok {
		t.Error("names are case-sensitive, wanted 'true' unknown")
	}
}
