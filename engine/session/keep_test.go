package session

import "testing"

// rewriting is a mode whose flows do not count the bytes that were read.
type rewriting struct{ Mode }

func (rewriting) Verbatim() bool { return false }

// TestFailedSocketHasSaidAll: only evidence shows that FIN came before a failure.
func TestFailedSocketHasSaidAll(t *testing.T) {
	for flags, want := range map[SocketFlags]bool{
		Broken: false, Broken | afterFIN: true, Broken | piped: true, Broken | resetFirst: false,
		Broken | resetFirst | piped: false, Broken | afterFIN | resetFirst: true,
	} {
		v := Visit{S: &Session{Sock: [2]Socket{Server: {FD: 1, flags: flags}}}, Mode: rewriting{}}
		if got := v.SaidAll(Server); got != want {
			t.Errorf("flags %b: %v", flags, got)
		}
	}
}
