package port

import (
	"net"
	"testing"
)

func TestFree(t *testing.T) {
	seen := map[uint16]bool{}
	for range 5 {
		addrs, err := Free(4)
		if err != nil || len(addrs) != 4 {
			t.Fatalf("%v, %v", addrs, err)
		}
		for _, a := range addrs {
			if seen[a.Port()] {
				t.Errorf("%v twice", a)
			}
			seen[a.Port()] = true
			ln, err := net.Listen("tcp", a.String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { ln.Close() })
		}
	}
}
