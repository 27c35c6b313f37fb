package kernel_test

// allowance is a difference between the kernels that the comparison accepts. Each use is counted.
type allowance string

// allowances are all of them, with their reasons.
var allowances = map[allowance]string{
	disconnected: "Linux gives a socket a new sequence number when its connection failed or it stops listening " +
		"(tcp_disconnect), and SIOCOUTQ then returns the difference from the old number until it connects.",
	memory: "SIOCOUTQ of a UNIX socket is the memory of the queue on Linux, and its bytes in the model. Only whether " +
		"it is 0 is compared.",
}

const (
	disconnected allowance = "disconnected"
	memory       allowance = "memory"
)

// allow counts the use of an allowance.
func (d *duel) allow(a allowance) { d.tally[a]++ }
