package kernel

import (
	"slices"
	"testing"
	"time"
)

func TestTimerfd(t *testing.T) {
	for name, script := range map[string]string{
		"expires once": `
			count t = EAGAIN
			arm t 5ms
			advance 4ms
			wait x =
			advance 1ms
			wait x = t:IN
			wait x =
			count t = 1
			count t = EAGAIN
			advance 1h
			wait x =`,
		"arming again clears the count and moves the time": `
			arm t 5ms
			advance 5ms
			arm t 5ms
			wait x =
			arm t 9ms
			advance 8ms
			poll t =
			advance 1ms
			wait x = t:IN`,
		"0 disarms": `
			arm t 5ms
			arm t 0s
			advance 1s
			poll t =`,
		"need not be read between expirations": `
			arm t 1ms
			advance 1ms
			wait x = t:IN
			arm t 1ms
			advance 1ms
			wait x = t:IN`,
		"closing disarms": `
			arm t 1ms
			close t
			advance 1ms`,
		"errors": `
			arm t -1s = EINVAL
			arm x 1s = EINVAL
			read t 7 = EINVAL
			write t 8 = EINVAL`,
	} {
		t.Run(name, func(t *testing.T) {
			k := New(Options{})
			play(t, k, "epoll x\ntimerfd t\nadd x t IN|ET\n"+script)
			if at, armed := k.NextTimer(); armed {
				t.Errorf("a timer is armed for %v", at)
			}
		})
	}
}

func TestEventfd(t *testing.T) {
	for name, script := range map[string]string{
		"adds, and a read clears": `
			poll e = OUT
			count e = EAGAIN
			write e #3 = 8
			write e #4 = 8
			poll e = IN|OUT
			count e = 7
			poll e = OUT`,
		"each write wakes, unread": `
			add x e IN|ET
			write e #1
			wait x = e:IN
			wait x =
			write e #1
			wait x = e:IN
			count e = 2
			write e #0 = 8
			wait x =`,
		"a read wakes writers": `
			add x e OUT|ET
			wait x = e:OUT
			write e #1
			wait x =
			read e 8
			wait x = e:OUT`,
		"sizes": `
			write e 7 = EINVAL
			write e 9 = EINVAL
			read e 7 = EINVAL`,
	} {
		t.Run(name, func(t *testing.T) {
			play(t, New(Options{}), "epoll x\neventfd e\n"+script)
		})
	}
}

// TestEventfdOverflow checks the largest counts.
func TestEventfdOverflow(t *testing.T) {
	p := New(Options{}).Process("test")
	fd, _ := p.Eventfd()
	most := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	_, tooLarge := p.Write(fd, most)
	most[0] = 0xfe
	_, fits := p.Write(fd, most)
	_, full := p.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	if got := [3]string{outcome(0, tooLarge), outcome(0, fits), outcome(0, full)}; got != [3]string{"EINVAL", "0", "EAGAIN"} {
		t.Error(got)
	}
	if events := Events(p.Poll(fd)); events != "IN" {
		t.Error(events)
	}
}

// TestAdvance checks the order of timers, the clock while they fire, and timers that timers start.
func TestAdvance(t *testing.T) {
	k := New(Options{})
	var fired []time.Duration
	note := func() { fired = append(fired, k.Now()) }
	k.After(3, note)
	k.After(1, func() {
		note()
		k.After(1, note)
		k.After(10, note)
	})
	k.After(2, func() { fired = append(fired, -2) })
	k.Advance(5)
	if want := []time.Duration{1, -2, 2, 3}; !slices.Equal(fired, want) || k.Now() != 5 {
		t.Errorf("fired %v, not %v; it is %v", fired, want, k.Now())
	}
	if at, armed := k.NextTimer(); at != 11 || !armed {
		t.Errorf("the next timer is at %v %v", at, armed)
	}
	k.Advance(1)
	if k.Now() != 5 {
		t.Error("the clock went back")
	}
}

// TestTimersOfOneTime checks that timers for the same time fire in the order of their start.
func TestTimersOfOneTime(t *testing.T) {
	k := New(Options{})
	var fired []int
	for i := range 8 {
		k.After(time.Second, func() { fired = append(fired, i) })
	}
	k.Advance(time.Second)
	if want := []int{0, 1, 2, 3, 4, 5, 6, 7}; !slices.Equal(fired, want) {
		t.Error(fired)
	}
}
