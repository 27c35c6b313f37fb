package kernel_test

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func (o outcome) String() string {
	if o.n == skipped.n {
		return "skipped"
	}
	s := fmt.Sprint(o.n)
	if o.e != 0 {
		s += " " + unix.ErrnoName(o.e)
	}
	if o.data != "" {
		s += fmt.Sprintf(" %s", digest(o.data))
	}
	if o.at.IsUnix() || o.at.IP.IsValid() {
		s += " " + o.at.String()
	}
	for _, ev := range o.events {
		s += fmt.Sprintf(" s%d/%d:%s", ev.Fd, ev.Pad, eventText(ev.Events))
	}
	if o.extra != 0 {
		s += fmt.Sprint(" and ", o.extra)
	}
	if o.info != (outcome{}).info {
		s += fmt.Sprintf(" %+v", o.info)
	}
	return s
}

// digest shows the first bytes of data and a sum of all of them.
func digest(data string) string {
	sum := uint32(0)
	for i := range len(data) {
		sum = sum*31 + uint32(data[i])
	}
	return fmt.Sprintf("%x...(%08x)", data[:min(len(data), 4)], sum)
}

func (v view) String() string {
	s := fmt.Sprintf("%s unsent %d received %d queued %d", eventText(v.poll), v.unsent, v.received, v.queued)
	if v.shaking {
		s += " handshaking"
	}
	for _, e := range v.errors {
		if e != 0 {
			s += " " + unix.ErrnoName(e)
		}
	}
	return s
}

// eventText shows a set of epoll events.
func eventText(events uint32) string { return flagText(eventNames, int(events)) }
