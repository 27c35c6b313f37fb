package kernel

import (
	"net/netip"
	"slices"
)

// network contains everything that is in transit between sockets, and the addresses in use.
type network struct {
	pending []*tcp // sockets with at least one possible action, in no order
	pool    pool
	ports   ports
	paths   map[string]*unixSocket // key: path or abstract name; nil: the path exists, but its socket is closed
	holes   []netip.AddrPort       // addresses that Blackhole was called for
	cookies []netip.Addr           // servers with a Fast Open cookie that clients know
}

// settle does everything that is pending, unless the kernel is Delayed.
func (k *Kernel) settle() {
	if k.Delayed {
		return
	}
	for k.Step() {
	}
}

// Step does one random pending step of the network: it advances a connection's handshake, or moves
// bytes, a FIN, a RST or an acknowledgement. It returns false if nothing is pending.
func (k *Kernel) Step() bool {
	n := len(k.net.pending)
	if n == 0 {
		return false
	}
	k.Progress++
	k.net.pending[k.Rand.IntN(n)].step()
	return true
}

// Pending returns the number of sockets for which Step can do something; 0: the network is idle.
func (k *Kernel) Pending() int { return len(k.net.pending) }

// Blackhole makes connections to an address stay in progress until they time out after 131 s, as when
// all packets to it are lost. It concerns connections that are started later.
func (k *Kernel) Blackhole(a Address) { k.net.holes = append(k.net.holes, plain(a.IP)) }

func (k *Kernel) isHole(a netip.AddrPort) bool { return slices.Contains(k.net.holes, a) }

// touch adds a socket to the list of pending ones, or removes it, after a change of its state.
func (k *Kernel) touch(s *tcp) {
	list := k.net.pending
	switch able := s.actions() != 0; {
	case able && s.index < 0:
		s.index = len(list)
		k.net.pending = append(list, s)
	case !able && s.index >= 0:
		last := list[len(list)-1]
		list[s.index], last.index = last, s.index
		list[len(list)-1] = nil
		k.net.pending = list[:len(list)-1]
		s.index = -1
	}
	if s.index < 0 {
		s.bury()
	}
}

// coin is true in half of all cases if the kernel is Delayed, and always otherwise.
func (k *Kernel) coin() bool { return !k.Delayed || k.Rand.Uint64()&1 != 0 }

// some returns a random number from 1 to n, and often n. n must be positive.
func (k *Kernel) some(n int) int {
	if k.coin() {
		return n
	}
	return 1 + k.Rand.IntN(n)
}
