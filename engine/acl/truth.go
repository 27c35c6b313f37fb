package acl

// Truth is the value of a condition for which bytes may still be missing. The numbers are chosen so
// that & is a conjunction and | a disjunction. False & Unknown is False; True | Unknown is True.
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
