package access

import "time"

// linger is how long the collector waits for more lines after it found some:
// a busy loop then pays for a wake-up every few milliseconds, not every line.
const linger = 5 * time.Millisecond

// collect is the collector's goroutine.
func (l *Log) collect() {
	defer close(l.collected)
	var f frame
	timer := time.NewTimer(linger)
	for {
		if l.round(&f) {
			timer.Reset(linger)
			select {
			case <-timer.C:
				continue
			case <-l.stop:
				l.round(&f)
				return
			}
		}
		if !l.sleep() {
			l.round(&f)
			return
		}
	}
}

// round moves what the rings hold now into the queues, and says whether there
// was a line. What comes in meanwhile waits for the next round, so that one busy
// loop keeps nobody else from being served.
func (l *Log) round(f *frame) bool {
	found := false
	for _, s := range *l.sinks.Load() {
		for end := s.tail.Load(); s.head.Load() != end; found = true {
			s.next(f)
			l.deliver(f)
		}
		if s.drops.untold() {
			l.lost()
		}
	}
	if found {
		l.dispatch()
	}
	return found
}

// sleep waits for the next line, and returns false when the log is closing.
func (l *Log) sleep() bool {
	l.asleep.Store(true)
	defer l.asleep.Store(false)
	for _, s := range *l.sinks.Load() {
		if s.pending() { // came before asleep was seen: nobody will wake us for it
			return true
		}
	}
	select {
	case <-l.wake:
		return true
	case <-l.stop:
		return false
	}
}

// rouse wakes the collector if it sleeps.
func (l *Log) rouse() {
	if l.asleep.Load() && l.asleep.CompareAndSwap(true, false) {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}
