package exchange

import "sluice/engine/session"

// The names of the two sides are used in nearly every line of this package.
const (
	client = session.Client
	server = session.Server
)

type side = session.Side

// term returns a termination state of two letters, see session.Term.
func term(who, when byte) [2]byte { return session.Term(who, when) }
