package reserve

import "testing"

func TestCostless(t *testing.T) {
	for mode, want := range map[string]bool{"0\n": true, "1\n": true, "2\n": false} {
		if got := costless([]byte(mode)); got != want {
			t.Errorf("vm.overcommit_memory %q: %v, want %v", mode, got, want)
		}
	}
}
