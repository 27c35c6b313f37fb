package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// row counts one kind of call: its name and the role of its descriptor.
type row struct {
	what string // for example "read client"
	made int    // number of calls
	vain int    // number of calls that returned EAGAIN
}

// tally counts the calls of conns connections.
type tally struct {
	conns int
	rows  map[string]*row   // by row.what
	role  map[string]string // by descriptor: client, server or loop
}

// runtimes are calls that the Go runtime makes in any program. epoll_wait is among them, because
// the runtime has a network poller: calls on an epoll descriptor without sessions are counted here.
var runtimes = map[string]bool{
	"futex": true, "nanosleep": true, "tgkill": true, "getpid": true, "sched_yield": true,
	"rt_sigreturn": true, "restart_syscall": true, "epoll_pwait": true, "epoll_wait": true,
}

// reasons are the explanations in the table, by kind of call.
var reasons = map[string]string{
	"accept4 listener":   "accepts a client with its address; EAGAIN: no client is waiting",
	"read client":        "the request; later the client's end of stream",
	"socket server":      "opens the socket for the connection to the server",
	"connect server":     "starts the connection",
	"sendto server":      "the request; also shows whether the connection is established",
	"epoll_ctl client":   "events of the client's socket, registered once",
	"epoll_ctl server":   "events of the server's socket, registered once",
	"epoll_pwait loop":   "waits for events of all sessions of a loop",
	"epoll_wait loop":    "waits for events of all sessions of a loop",
	"read server":        "the answer, and the server's end of stream if it came with the answer",
	"sendto client":      "the answer",
	"shutdown client":    "forwards the server's end of stream (FIN)",
	"shutdown server":    "forwards the client's end of stream (FIN)",
	"close client":       "frees the descriptor; sends FIN if none was sent",
	"close server":       "frees the descriptor; sends FIN if none was sent",
	"timerfd_settime":    "sets the timer for the loop's next deadline",
	"ioctl client":       "asks whether the client has acknowledged all bytes, before RST",
	"getsockopt server":  "asks for the state of the connection",
	"setsockopt client":  "sets an option of the client's socket",
	"setsockopt server":  "sets an option of the server's socket",
	"recvfrom client":    "peeks at bytes, because the buffer budget is used up",
	"write eventfd":      "wakes another loop",
	"getsockname client": "the address that the client connected to",
}

// count reads a trace and counts its calls.
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

// whose returns the role of the call's descriptor. It follows each descriptor from the call
// that opened it to its close.
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

// perConn returns the average number of counted calls per connection.
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

// print writes the table with the most frequent calls first. The calls of the Go runtime follow
// after the total.
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
	fmt.Fprintf(w, "%-20s %8.2f %8s  fewer than 0.01 each; includes calls of earlier sessions\n", "rare", t.each(rare), "")
	fmt.Fprintf(w, "%-20s %8.2f\n\nnot counted, made by the Go runtime:\n", "total", t.perConn())
	for _, r := range rows {
		if !t.counted(r) {
			fmt.Fprintf(w, "%-20s %8.2f\n", r.what, t.each(r.made))
		}
	}
}
