package engine

// result says what became of the session in a step of its work.
type result uint8

const (
	// goesOn: the step is done, and the work may go on with the next step.
	goesOn result = iota
	// waits: the step needs more bytes. The next event or turn repeats it.
	waits
	// ownAnswer: mode http has made an answer of its own, which the caller sends.
	ownAnswer
	// left: the session has entered another state, where its work was done, or it has ended. The
	// caller does nothing more with it.
	left
)
