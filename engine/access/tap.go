package access

// Tap returns a log for deterministic tests. It passes each line to do at once, on the goroutine
// that sends the line. It opens no targets and starts no goroutine. The line is only valid during
// the call.
func Tap(do func(to Route, lv Level, line []byte)) *Log {
	l := &Log{tap: do, stop: make(chan struct{}), collected: make(chan struct{})}
	close(l.collected)
	l.carriers.Store(&[]*carrier{})
	l.routes.Store(&[]*route{nil})
	l.sinks.Store(&[]*Sink{})
	return l
}
