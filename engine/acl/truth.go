package acl

// Truth is the value of a condition while bytes may still be missing. The
// numbers make & a conjunction and | a disjunction: false wins over unknown in
// the first, true in the second.
type Truth uint8

// The truth values. The zero value is False.
const (
	False   Truth = 0
	Unknown Truth = 1 // more bytes are needed
	True    Truth = 3
)

func (t Truth) String() string { return [...]string{"false", "more", "", "true"}[t] }

func (t Truth) not() Truth {
	switch t {
	case False:
		return True
	case True:
		return False
	}
	return Unknown
}
