package main

import (
	"strings"
	"testing"
)

// sample is a trace of one connection. A call of another thread interrupts one of its calls,
// and calls of the Go runtime lie between them.
const sample = `11  epoll_pwait(9, [...], 32, -1, NULL, 0) = 1
11  accept4(5, {sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("127.0.0.1")}, [112 => 16], SOCK_NONBLOCK) = 24
11  read(24,  <unfinished ...>
12  futex(0x1, FUTEX_WAIT_PRIVATE, 0, NULL) = -1 EAGAIN (Resource temporarily unavailable)
12  epoll_pwait(6, [...], 128, 0, NULL, 0) = 0
11  <... read resumed>0x1, 65536)       = -1 EAGAIN (Resource temporarily unavailable)
11  epoll_ctl(9, EPOLL_CTL_ADD, 24, {events=EPOLLIN, data={u32=1, u64=1}}) = 0
11  close(24)                           = 0
11  close(24)                           = -1 EBADF (Bad file descriptor)
11  +++ exited with 0 +++
`

func TestCount(t *testing.T) {
	got, err := count(strings.NewReader(sample), 1)
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]row{
		"accept4 listener": {made: 1},
		"read client":      {made: 1, vain: 1},
		"epoll_ctl client": {made: 1},
		"close client":     {made: 1},
		"close":            {made: 1}, // the descriptor was closed before, so it has no role
		"epoll_pwait loop": {made: 1},
		"epoll_pwait":      {made: 1},
	} {
		r := got.rows[what]
		if r == nil || r.made != want.made || r.vain != want.vain {
			t.Errorf("%s: %+v; want %+v", what, r, want)
		}
	}
	if n := got.perConn(); n != 6 {
		t.Errorf("%v calls counted; want 6: neither futex nor the runtime's epoll_pwait", n)
	}
}
