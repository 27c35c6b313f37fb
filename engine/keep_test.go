package engine

import "testing"

// rewriting is a mode whose flows do not count the bytes that were read.
type rewriting struct{ mode }

func (rewriting) verbatim() bool { return false }

// TestFailedSocketHasSaidAll: only evidence shows that FIN came before a failure.
func TestFailedSocketHasSaidAll(t *testing.T) {
	for flags, want := range map[socketFlags]bool{
		broken: false, broken | afterFIN: true, broken | piped: true, broken | resetFirst: false,
		broken | resetFirst | piped: false, broken | afterFIN | resetFirst: true,
	} {
		v := visit{s: &session{sock: [2]socket{server: {fd: 1, flags: flags}}}, mode: rewriting{}}
		if got := v.saidAll(server); got != want {
			t.Errorf("flags %b: %v", flags, got)
		}
	}
}
