package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// row is a kind of call: its name and whose descriptor it is made on.
type row struct {
	what string // as "read client"
	made int
	vain int // of them gave EAGAIN
}

// tally counts the calls of conns connections.
type tally struct {
	conns int
	rows  map[string]*row
	role  map[string]string // descriptor -> client, server or loop
}

// runtimes are the Go runtime's own calls, which any program in Go makes. An
// epoll that has no session is the one of its network poller.
var runtimes = map[string]bool{
	"futex": true, "nanosleep": true, "tgkill": true, "getpid": true, "sched_yield": true,
	"rt_sigreturn": true, "restart_syscall": true, "epoll_pwait": true, "epoll_wait": true,
}

// reasons says what a kind of call is there for.
var reasons = map[string]string{
	"accept4 listener":   "takes the client and its address; EAGAIN: nobody waits any more",
	"read client":        "the request; after that, the client's end",
	"socket server":      "the connection to the server",
	"connect server":     "starts it",
	"sendto server":      "the request, and the probe whether the connection stands",
	"epoll_ctl client":   "events of the client's socket, registered once",
	"epoll_ctl server":   "events of the server's socket, registered once",
	"epoll_pwait loop":   "waits for events, of all sessions of a loop together",
	"epoll_wait loop":    "waits for events, of all sessions of a loop together",
	"read server":        "the answer, and its end when that came with it",
	"sendto client":      "the answer",
	"shutdown client":    "passes the server's end on",
	"shutdown server":    "passes the client's end on",
	"close client":       "frees the descriptor; says FIN if that was not said",
	"close server":       "frees the descriptor; says FIN if that was not said",
	"timerfd_settime":    "moves the alarm of the loop's deadlines",
	"ioctl client":       "asks whether the client has everything, before RST",
	"getsockopt server":  "asks how the connection is doing",
	"setsockopt client":  "an option of the client's socket",
	"setsockopt server":  "an option of the server's socket",
	"recvfrom client":    "looks without taking: the buffer budget is used up",
	"write eventfd":      "wakes another loop",
	"getsockname client": "the address that the client connected to",
}

// count counts the calls of a trace.
func count(trace io.Reader, conns int) (*tally, error) {
	t := &tally{conns: conns, rows: map[string]*row{}, role: map[string]string{}}
	calls, err := readCalls(trace)
	for _, c := range calls {
		if c.name == "epoll_ctl" {
			t.role[c.args[0]] = "loop"
		}
	}
	for _, c := range calls {
		t.add(c)
	}
	return t, err
}

func (t *tally) add(c call) {
	what := c.name
	if whose := t.whose(c); whose != "" {
		what += " " + whose
	}
	r := t.rows[what]
	if r == nil {
		r = &row{what: what}
		t.rows[what] = r
	}
	r.made++
	if strings.Contains(c.result, "EAGAIN") {
		r.vain++
	}
}

// whose follows descriptors from the call that made them to their close.
func (t *tally) whose(c call) string {
	switch c.name {
	case "accept4":
		t.role[c.result] = "client"
		return "listener"
	case "socket":
		t.role[c.result] = "server"
		return "server"
	case "epoll_ctl":
		return t.role[c.args[2]]
	case "close":
		defer delete(t.role, c.args[0])
	}
	return t.role[c.args[0]]
}

func (t *tally) counted(r *row) bool { return !runtimes[r.what] }

// perConn returns the calls that one connection costs.
func (t *tally) perConn() float64 {
	made := 0
	for _, r := range t.rows {
		if t.counted(r) {
			made += r.made
		}
	}
	return t.each(made)
}

func (t *tally) each(made int) float64 { return float64(made) / float64(t.conns) }

// print writes the table, the most frequent calls first, and the runtime's
// below the total.
func (t *tally) print(w io.Writer) {
	rows := slices.SortedFunc(maps.Values(t.rows), func(a, b *row) int {
		if a.made != b.made {
			return b.made - a.made
		}
		return strings.Compare(a.what, b.what)
	})
	fmt.Fprintf(w, "%d connections\n%-20s %8s %8s  %s\n", t.conns, "call", "per conn", "EAGAIN", "why")
	rare := 0
	for _, r := range rows {
		switch {
		case !t.counted(r):
		case t.each(r.made) < 0.01:
			rare += r.made
		default:
			fmt.Fprintf(w, "%-20s %8.2f %8.2f  %s\n", r.what, t.each(r.made), t.each(r.vain), reasons[r.what])
		}
	}
	fmt.Fprintf(w, "%-20s %8.2f %8s  among it what sessions did that began before\n", "rare", t.each(rare), "")
	fmt.Fprintf(w, "%-20s %8.2f\n\nnot counted, the Go runtime's own:\n", "total", t.perConn())
	for _, r := range rows {
		if !t.counted(r) {
			fmt.Fprintf(w, "%-20s %8.2f\n", r.what, t.each(r.made))
		}
	}
}
