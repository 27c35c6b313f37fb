package kernel_test

// allowance is a difference between the kernels that the comparison accepts. Each use is counted.
type allowance string

// allowances are all of them, with their reasons.
var allowances = map[allowance]string{
	disconnected: "Linux gives a socket a new sequence number when its connection failed or it stops listening " +
		"(tcp_disconnect), and SIOCOUTQ then returns the difference from the old number until it connects. TCP_NOTSENT_LOWAT " +
		"takes it for bytes.",
	memory: "SIOCOUTQ of a UNIX socket is the memory of the queue on Linux, and its bytes in the model. Only whether " +
		"it is 0 is compared.",
	group: "Linux chooses the socket of a SO_REUSEPORT group by a hash of the addresses. The model is told which one.",
	self: "A socket may connect to itself, if it has the address that it connects to. The model does not have this; " +
		"the sequence ends.",
	ioctl: "An epoll instance returns EINVAL for SIOCOUTQ since Linux 6.9, and ENOTTY before, as in the model.",
	fragments: "How many slots of a pipe the bytes of a socket take depends on where the kernel's memory for them lay " +
		"(page fragments). The model moves as many bytes as the kernel did, and its slots are joined or divided so that " +
		"its pipe is full when the kernel's is.",
	size: "Linux counts the memory of bytes and not their number, and opens the window of a receiver late. So it chooses " +
		"how many bytes a full connection takes, and how many of them are with the receiver. The model takes as many.",
	cork: "Linux holds bytes back behind MSG_MORE for up to 200 ms, and only those that do not fill a segment. The model " +
		"lets them go when the kernel has.",
	retry: "Linux sends a SYN that was lost at a full accept queue again after a second. A sequence that takes so long " +
		"ends.",
	bucket: "Linux remembers for each port whether all its sockets had SO_REUSEADDR or SO_REUSEPORT. If they had different " +
		"options, it may allow an address that is in use. The model does not; the sequence ends.",
	kept: "A connection keeps the port of its listening socket on Linux, after that was closed, too. Without SO_REUSEADDR " +
		"no other socket gets the port then. The model counts sockets that have bound the port; the sequence ends.",
	order: "The model moves the bytes of a full connection after a step, so the order of the events of this step is not " +
		"compared. If a wait returned as many events as it may, the sequence ends.",
	lost: "A reset may come while a splice moves bytes. The splice then takes the error with it, and returns the number of " +
		"bytes. In the model, the network goes on within a splice only with Options.ShortSplice.",
}

const (
	disconnected allowance = "disconnected"
	memory       allowance = "memory"
	group        allowance = "group"
	self         allowance = "self"
	ioctl        allowance = "ioctl"
	fragments    allowance = "fragments"
	lost         allowance = "lost"
	order        allowance = "order"
	kept         allowance = "kept"
	bucket       allowance = "bucket"
	retry        allowance = "retry"
	cork         allowance = "cork"
	size         allowance = "size"
)

// allow counts the use of an allowance, which must have a reason.
func (d *duel) allow(a allowance) {
	if allowances[a] == "" {
		panic("no reason is given for the allowance " + string(a))
	}
	d.tally[a]++
}
