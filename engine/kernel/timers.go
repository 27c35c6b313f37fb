package kernel

import (
	"container/heap"
	"time"
)

// timers are the timers of the kernel, of its timerfds and of its network. It is a heap: the first
// element is the timer that is due first. Timers for the same time fire in the order in which they
// were started.
type timers struct {
	heap  []*timer
	count uint64 // number of starts of timers so far
}

// timer is a function that the kernel calls when the clock reaches a time.
type timer struct {
	at    time.Duration // expiry, as time since the start of the machine
	order uint64        // the timer's number in the order of starts, for timers of the same time
	index int           // index in the heap; -1: not armed
	do    func()
}

// add makes the kernel call do when its clock reaches at.
func (s *timers) add(at time.Duration, do func()) *timer {
	t := &timer{index: -1, do: do}
	s.start(t, at)
	return t
}

// start arms a timer, which may be armed already, for another time.
func (s *timers) start(t *timer, at time.Duration) {
	s.stop(t)
	t.at, t.order = at, s.count
	s.count++
	heap.Push(s, t)
}

// stop disarms a timer. A timer that is not armed is left alone.
func (s *timers) stop(t *timer) {
	if t.index >= 0 {
		heap.Remove(s, t.index)
	}
}

// After makes the kernel call do once when d has passed.
func (k *Kernel) After(d time.Duration, do func()) { k.timers.add(k.now+d, do) }

// NextTimer returns the time at which the next timer is due. armed is false if there is no timer.
func (k *Kernel) NextTimer() (at time.Duration, armed bool) {
	if len(k.timers.heap) == 0 {
		return 0, false
	}
	return k.timers.heap[0].at, true
}

// Advance moves the clock to a time. Timers that are due fire in their order, each with the clock at
// its own time. A time in the past changes nothing.
func (k *Kernel) Advance(to time.Duration) {
	for {
		at, armed := k.NextTimer()
		if !armed || at > to {
			break
		}
		k.now = max(k.now, at)
		k.Progress++
		heap.Pop(&k.timers).(*timer).do()
		k.settle()
	}
	k.now = max(k.now, to)
	k.settle()
}

// Len, Less, Swap, Push and Pop implement heap.Interface.

func (s *timers) Len() int { return len(s.heap) }

func (s *timers) Less(i, j int) bool {
	a, b := s.heap[i], s.heap[j]
	return a.at < b.at || a.at == b.at && a.order < b.order
}

func (s *timers) Swap(i, j int) {
	s.heap[i], s.heap[j] = s.heap[j], s.heap[i]
	s.heap[i].index, s.heap[j].index = i, j
}

func (s *timers) Push(x any) {
	t := x.(*timer)
	t.index = len(s.heap)
	s.heap = append(s.heap, t)
}

func (s *timers) Pop() any {
	last := len(s.heap) - 1
	t := s.heap[last]
	s.heap[last] = nil
	s.heap, t.index = s.heap[:last], -1
	return t
}
