//go:build simulation

package session

// Step handles the events that are present, without waiting. worked is false if there was nothing
// to do. If over is true, the loop has ended, and err is its error; nil after a stop or drain.
func (l *Loop) Step() (worked, over bool, err error) {
	if worked, err = l.Reactor.Step(); err != nil {
		return worked, true, l.finished(err)
	}
	return worked, false, nil
}
