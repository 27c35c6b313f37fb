package kernel

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A script is a list of calls, one a line, such as "read r 10 = EAGAIN". Files have names. What follows
// "=" is the expected result; without it, the call must succeed. The calls are the methods of stage.
type stage struct {
	*Process
	fds   map[string]int
	names []string // a name's index is the data of its registrations
}

// play runs a script in a process of k.
func play(t *testing.T, k *Kernel, script string) {
	t.Helper()
	s := &stage{Process: k.Process("test"), fds: map[string]int{}}
	s.Strict = true
	for number, line := range strings.Split(strings.TrimSpace(script), "\n") {
		call, want, compare := strings.Cut(strings.TrimSpace(line), " =")
		if call == "" {
			continue
		}
		got := s.do(strings.Fields(call))
		failed := strings.HasPrefix(got, "E")
		if compare && got != strings.TrimSpace(want) || !compare && failed {
			t.Fatalf("line %d: %s: the result is %q", number+1, line, got)
		}
	}
	for _, v := range k.Violations() {
		t.Error(v)
	}
}

func (s *stage) do(f []string) string {
	switch f[0] {
	case "epoll":
		return s.name(f[1], s.Epoll)
	case "eventfd":
		return s.name(f[1], s.Eventfd)
	case "timerfd":
		return s.name(f[1], s.Timerfd)
	case "dup":
		return s.name(f[2], func() (int, Errno) { return s.Dup(s.fds[f[1]]) })
	case "pipe":
		r, w, e := s.Pipe()
		s.fds[f[1]], s.fds[f[2]] = r, w
		return outcome(r, e)
	case "close":
		return outcome(0, s.Close(s.fds[f[1]]))
	case "add", "mod", "del":
		return s.control(f)
	case "wait":
		return s.wait(f)
	case "ready":
		return fmt.Sprint(s.Ready(s.fds[f[1]]))
	case "poll":
		return Events(s.Poll(s.fds[f[1]]))
	case "write":
		return outcome(s.Write(s.fds[f[1]], bytesOf(f[2])))
	case "read":
		return outcome(s.Read(s.fds[f[1]], bytesOf(f[2])))
	case "count": // of an eventfd or a timerfd
		b := make([]byte, 8)
		if _, e := s.Read(s.fds[f[1]], b); e != 0 {
			return outcome(0, e)
		}
		return fmt.Sprint(b[0])
	case "resize":
		return outcome(s.PipeSize(s.fds[f[1]], number(f[2])))
	case "splice":
		return outcome(s.Splice(s.fds[f[1]], s.fds[f[2]], number(f[3])))
	case "arm":
		return outcome(0, s.SetTimer(s.fds[f[1]], duration(f[2])))
	case "advance":
		s.Kernel().Advance(s.Kernel().Now() + duration(f[1]))
		return ""
	}
	return "E: unknown call"
}

func (s *stage) name(name string, open func() (int, Errno)) string {
	fd, e := open()
	s.fds[name] = fd
	return outcome(fd, e)
}

func (s *stage) control(f []string) string {
	op := map[string]int{"add": unix.EPOLL_CTL_ADD, "mod": unix.EPOLL_CTL_MOD, "del": unix.EPOLL_CTL_DEL}[f[0]]
	ev := &unix.EpollEvent{Fd: int32(len(s.names))}
	s.names = append(s.names, f[2])
	if len(f) > 3 {
		for _, one := range eventNames {
			if strings.Contains("|"+f[3]+"|", "|"+one.name+"|") {
				ev.Events |= one.bit
			}
		}
	}
	return outcome(0, s.Control(s.fds[f[1]], op, s.fds[f[2]], ev))
}

func (s *stage) wait(f []string) string {
	most := 8
	if len(f) > 2 {
		most = number(f[2])
	}
	events := make([]unix.EpollEvent, most)
	n, e := s.Wait(s.fds[f[1]], events)
	if e != 0 {
		return outcome(n, e)
	}
	var told []string
	for _, ev := range events[:n] {
		told = append(told, s.names[ev.Fd]+":"+Events(ev.Events))
	}
	return strings.Join(told, " ")
}

// bytesOf returns a number of bytes, or with a leading "#" the number as a counter of 8 bytes.
func bytesOf(text string) []byte {
	count, is := strings.CutPrefix(text, "#")
	if !is {
		return make([]byte, number(text))
	}
	b := make([]byte, 8)
	b[0] = byte(number(count))
	return b
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

func duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}
