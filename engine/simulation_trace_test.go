//go:build simulation

package engine

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"sluice/engine/kernel"
)

// event is an event of a world, for its trace.
type event struct {
	at   time.Duration // time since the start of the world
	kind eventKind
	text string
}

type eventKind uint8

const (
	acted    eventKind = iota // a client or a server did something
	arrived                   // the network delivered something to the balancer, or lost it
	departed                  // the network delivered something to a client or to a server
	called                    // a system call of the balancer
	others                    // a system call of a client or of a server
	logged                    // a line of the balancer's log
	incident                  // a fault, the result of a check, the end of the balancer
	failed                    // a failure
)

// watching contains the options for observing a world.
type watching struct {
	trace func(e event) // called for each event; nil: no trace
	most  int           // steps after which the world counts as endless; 0: mostSteps
}

// tell passes an event to the trace.
func (x *simulation) tell(kind eventKind, format string, args ...any) {
	if x.trace != nil {
		x.trace(event{x.kernel.Now(), kind, fmt.Sprintf(format, args...)})
	}
}

// watchKernel passes the system calls and the events of the network to the trace.
func (x *simulation) watchKernel(o *kernel.Options) {
	if x.trace == nil {
		return
	}
	o.Trace = func(p *kernel.Process, text string) {
		if p == x.process {
			x.tell(called, "balancer %s", text)
			return
		}
		x.tell(others, "%s %s", p.Name, text)
	}
	o.Delivered = x.delivered
}

// watchCast passes the actions of clients and servers to the trace.
func (x *simulation) watchCast() {
	if x.trace == nil {
		return
	}
	x.cast.Trace = func(line string) {
		kind := acted
		if strings.Contains(line, " listens on ") {
			kind = others
		}
		if !strings.HasPrefix(line, "client ") {
			line = "server " + line
		}
		x.tell(kind, "%s", line)
	}
}

// delivered traces something that the network has delivered or lost.
func (x *simulation) delivered(from, to netip.AddrPort, what string) {
	who, whom := x.nameOf(from), x.nameOf(to)
	switch {
	case strings.HasPrefix(what, "SYN, "):
		x.tell(arrived, "the %s sends %s a %s", who, whom, what)
	case whom == balancerName && what == "SYN-ACK":
		x.tell(arrived, "the balancer is connected to %s", who)
	case whom == balancerName:
		x.tell(arrived, "the balancer gets %s of %s", what, who)
	default:
		x.tell(departed, "%s gets %s of the %s", whom, what, who)
	}
}

const balancerName = "balancer"

// nameOf returns the name of the client, server or balancer with an address.
func (x *simulation) nameOf(a netip.AddrPort) string {
	for _, b := range x.backs {
		for _, v := range b.servers {
			if v.address.IP == a {
				return "server " + v.name
			}
		}
	}
	if number := clientAt(a.Addr().Unmap()); number > 0 {
		return fmt.Sprint("client ", number)
	}
	return balancerName
}

// clientAt returns the number of the client with an address; 0: there is none. It is the inverse of
// addressOf.
func clientAt(a netip.Addr) int {
	if !a.Is4() {
		return 0
	}
	b := a.As4()
	number := int(b[2])<<8 | int(b[3])
	if addressOf(number, b[1] == outlawNet) != b {
		return 0
	}
	return number
}
