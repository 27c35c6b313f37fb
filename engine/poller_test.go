package engine

import (
	"os"
	"strconv"
	"testing"
)

func TestTokenKeepsItsParts(t *testing.T) {
	for _, id := range []int32{1, 2, 12345, maxSession} {
		for _, which := range []side{client, server} {
			for _, turn := range []uint8{0, 1, 127, 128, 255} {
				k := tokenOf(id, which, turn)
				if k >= 0 || k.session() != id || k.side() != which || k.turn() != turn {
					t.Errorf("token of %d, %d, %d is %d: %d, %d, %d", id, which, turn, k, k.session(), k.side(), k.turn())
				}
			}
		}
	}
}

// TestPollerGivesItsDescriptor guards what openPoller reads out of gnet's
// poller.
func TestPollerGivesItsDescriptor(t *testing.T) {
	p, err := openPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	link, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(p.epoll))
	if err != nil || link != "anon_inode:[eventpoll]" {
		t.Errorf("descriptor %d is %q, %v; want an epoll instance", p.epoll, link, err)
	}
}
