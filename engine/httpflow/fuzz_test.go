package httpflow

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"
)

// most limits the length of input that is cut at every byte, because the time grows with its
// square.
const most = 2048

// FuzzRequests: the result does not depend on the pieces in which a stream arrives. net/http must
// find the same end in a request that is passed on.
func FuzzRequests(f *testing.F) {
	for _, c := range desync {
		if len(c.stream) < most {
			f.Add([]byte(c.stream))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = b[:min(len(b), most)]
		want := requests(b)
		for i := 1; i < len(b); i++ {
			if got := requests(b[:i], b[i:]); got != want {
				t.Fatalf("cut at %d: %s; whole: %s", i, got, want)
			}
		}
		if len(b) > 0 {
			samePassedOn(t, b)
		}
	})
}

// samePassedOn parses the first request with net/http, in the form in which it is passed on.
func samePassedOn(t *testing.T, b []byte) {
	t.Helper()
	x, h, n := tryAsk(b)
	if n == 0 || x.has(connect) {
		return
	}
	k := x.Request.Take(b[n:])
	if !x.Request.Done() {
		return
	}
	var w Rewrite
	w.Request(h)
	x.ToServer(&w)
	r := bufio.NewReader(io.MultiReader(bytes.NewReader(append(w.Append(nil), b[n:n+k]...)), bytes.NewReader([]byte(hidden))))
	req, err := http.ReadRequest(r)
	if err != nil {
		return // net/http is stricter about targets and names
	}
	if _, err = io.Copy(io.Discard, req.Body); err != nil {
		return // net/http is stricter about trailers
	}
	if next, err := http.ReadRequest(r); err != nil || next.URL.Path != "/hidden" {
		t.Fatalf("%q ends elsewhere for net/http: %v", b[:n+k], err)
	}
}

func FuzzAnswers(f *testing.F) {
	for _, c := range framed {
		if len(c.stream) < most {
			f.Add([]byte(c.stream))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = b[:min(len(b), most)]
		want := answersTo(t, get11, false, b)
		for i := 1; i < len(b); i++ {
			if got := answersTo(t, get11, false, b[:i], b[i:]); got != want {
				t.Fatalf("cut at %d: %s; whole: %s", i, got, want)
			}
		}
	})
}

// FuzzCookie: hiding our cookie removes every occurrence; hiding a second time changes nothing.
func FuzzCookie(f *testing.F) {
	for _, list := range []string{"S=s1", "a=b; S=s1; c=d", `a="x; S=s1"`, "$V=1;S=s1;$P=/", "S=a,S=b;;", `S="\`} {
		f.Add([]byte(list))
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		e := edit{word: "S"}
		var w Rewrite
		once, left := remove(&w, &e, list)
		if !left {
			return
		}
		for i := 0; i < len(once); {
			p := nextPair(once, i)
			if p.is(once, "S") {
				t.Fatalf("%q leaves %q", list, once)
			}
			i = p.next + 1
		}
		if twice, _ := remove(&w, &e, once); !bytes.Equal(once, twice) {
			t.Fatalf("%q: %q, then %q", list, once, twice)
		}
		shorten(&w, &e, list)
		replaceValue(&w, &e, list)
		prefixValue(&w, &e, list)
	})
}
