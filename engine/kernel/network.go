package kernel

// network is everything that is under way between sockets.
type network struct{}

// settle does everything that is pending, unless the kernel is Delayed.
func (k *Kernel) settle() {}
