package sniff

import (
	"bytes"
	"reflect"
	"testing"
)

// checkCuts sniffs data in one piece, then cut at every byte, then byte by byte with one State.
// After each cut other bytes follow. All ways must give the same answer. It must come as soon
// as possible and must not change. checkCuts returns the facts of all data.
func checkCuts(t *testing.T, data []byte) *Facts {
	t.Helper()
	s, f := NewScanner(), &Facts{}
	s.Sniff(new(State), data, f)
	want, length := report(f), f.Len
	var steps State
	due := -1 // the length of the shortest prefix that has an answer
	buf := bytes.Repeat([]byte("\x01\r\n: HTTP/1.1\r\n\r\n"), len(data)/16+1)
	for n := range len(data) + 1 {
		copy(buf[max(n-1, 0):n], data[max(n-1, 0):])
		cut := buf[:n]
		s.Sniff(&steps, cut, f)
		stepped := [2]Verdict{f.TLS.Verdict, f.HTTP.Verdict}
		s.Sniff(new(State), cut, f)
		if fresh := [2]Verdict{f.TLS.Verdict, f.HTTP.Verdict}; stepped != fresh {
			t.Fatalf("cut at %d: verdicts %v byte by byte, %v at once", n, stepped, fresh)
		}
		if due < 0 && f.Verdict() != More {
			due = n
		}
		if got := report(f); due >= 0 && (f.Len != length || !reflect.DeepEqual(got, want)) {
			t.Fatalf("cut at %d: %+v, whole: %+v", n, got, want)
		}
	}
	if f.Verdict() == Yes && due != f.Len {
		t.Errorf("yes after %d bytes, where %d are told", due, f.Len)
	}
	return f
}

// inSteps returns the facts of b when b arrives in pieces of step bytes.
func inSteps(b []byte, step int) *Facts {
	s, f := NewScanner(), &Facts{}
	var st State
	for n := 0; n <= len(b); n += step {
		s.Sniff(&st, b[:n], f)
	}
	s.Sniff(&st, b, f)
	return f
}
