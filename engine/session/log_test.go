package session

import "testing"

// TestNormal holds the sessions that HAProxy 2.6 takes as normal. A retry does not count in the
// answer of a rule, a redispatch does.
func TestNormal(t *testing.T) {
	for _, test := range []struct {
		term         string
		retries      int
		redispatched bool
		status       int
		want         bool
	}{
		{"--", 0, false, 0, true},
		{"--", 0, false, 499, true},
		{"--", 0, false, 500, false},
		{"--", 1, false, 200, false},
		{"--", 1, true, 200, false},
		{"LR", 0, false, 302, true},
		{"LR", 0, false, 500, false},
		{"LH", 1, false, 404, true},
		{"LH", 1, true, 404, false},
		{"PR", 0, false, 403, false},
		{"PR", 0, false, 200, false},
		{"CD", 0, false, 200, false},
		{"sH", 0, false, 504, false},
		{"cD", 0, false, 0, false},
	} {
		s := &Session{Term: Term(test.term[0], test.term[1]), Redispatched: test.redispatched}
		s.Tries += uint8(test.retries)
		if got := (&Visit{S: s}).Normal(test.status); got != test.want {
			t.Errorf("%+v: got %v", test, got)
		}
	}
}
