package access

import "time"

// linger is the time for which the collector waits for more lines after it found some. A busy loop
// then makes the system call to wake the collector once in several milliseconds, and not for every
// line.
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
			case asked := <-l.rounds:
				l.round(&f)
				close(asked)
			case <-l.stop:
				l.round(&f)
				return
			}
			continue
		}
		if !l.sleep(&f) {
			l.round(&f)
			return
		}
	}
}

// drainRings waits until the lines that are now in the rings are in the queues of their carriers. It
// returns at once if the log is closed.
func (l *Log) drainRings() {
	done := make(chan struct{})
	select {
	case l.rounds <- done:
		<-done
	case <-l.collected:
	}
}

// round moves the lines that are now in the rings to the queues. It reports whether there were any.
// Later lines wait for the next round, so that one busy loop cannot delay the lines of the others.
func (l *Log) round(f *frame) bool {
	found := false
	for _, s := range *l.sinks.Load() {
		for end := s.tail.Load(); s.head.Load() != end; found = true {
			s.next(f)
			l.deliver(f)
		}
		if s.drops.unreported() {
			l.lost()
		}
	}
	if found {
		l.dispatch()
	}
	return found
}

// sleep waits for the next line, or for drainRings. It returns false when the log is closed.
func (l *Log) sleep(f *frame) bool {
	l.asleep.Store(true)
	defer l.asleep.Store(false)
	for _, s := range *l.sinks.Load() {
		if s.pending() { // the line came before asleep was set, so its sender will not wake the collector
			return true
		}
	}
	select {
	case <-l.wake:
		return true
	case asked := <-l.rounds:
		l.round(f)
		close(asked)
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
