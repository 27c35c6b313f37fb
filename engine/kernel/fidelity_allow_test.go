package kernel_test

// allowance is a difference between the kernels that the comparison accepts. Each use is counted.
type allowance string

// allowances are all of them, with their reasons.
var allowances = map[allowance]string{
	disconnected: "Linux gives a socket a new sequence number when its connection failed or it stops listening " +
		"(tcp_disconnect), and SIOCOUTQ then returns the difference from the old number until it connects.",
	memory: "SIOCOUTQ of a UNIX socket is the memory of the queue on Linux, and its bytes in the model. Only whether " +
		"it is 0 is compared.",
	group: "Linux chooses the socket of a SO_REUSEPORT group by a hash of the addresses. The model is told which one.",
	self: "A socket may connect to itself, if it has the address that it connects to. The model does not have this; " +
		"the sequence ends.",
	ioctl: "An epoll instance returns EINVAL for SIOCOUTQ since Linux 6.9, and ENOTTY before, as in the model.",
}

const (
	disconnected allowance = "disconnected"
	memory       allowance = "memory"
	group        allowance = "group"
	self         allowance = "self"
	ioctl        allowance = "ioctl"
)

// allow counts the use of an allowance.
func (d *duel) allow(a allowance) { d.tally[a]++ }
