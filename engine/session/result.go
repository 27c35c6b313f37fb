package session

// Result says what became of the session in a step of its work.
type Result uint8

const (
	// GoesOn: the step is done, and the work may go on with the next step.
	GoesOn Result = iota
	// Waits: the step needs more bytes. The next event or turn repeats it.
	Waits
	// OwnAnswer: mode http has made an answer of its own, which the caller sends.
	OwnAnswer
	// Left: the session has entered another state, where its work was done, or it has ended. The
	// caller does nothing more with it.
	Left
)
