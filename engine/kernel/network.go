package kernel

// network is everything that is under way between sockets.
type network struct{}

// settle does everything that is pending, unless the kernel is Delayed.
func (k *Kernel) settle() {}

// Step does one random thing that is pending in the network. false: nothing is pending.
func (k *Kernel) Step() bool { return false }

// Pending returns the number of things that are pending in the network.
func (k *Kernel) Pending() int { return 0 }

// Blackhole makes connections to an address stay in progress until they time out.
func (k *Kernel) Blackhole(a Address) {}
