package session

// Result is the outcome of one step of the work on a session.
type Result uint8

const (
	// GoesOn: the step is done, and the work may go on with the next step.
	GoesOn Result = iota
	// Waits: the step needs more bytes. The next event or turn repeats it.
	Waits
	// OwnAnswer: mode http has prepared an answer of this proxy, which the caller sends.
	OwnAnswer
	// Left: the session has ended, or has entered another state. The work for that state is done,
	// so the caller does nothing more with the session.
	Left
)
