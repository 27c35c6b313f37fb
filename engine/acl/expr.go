package acl

// expr is a fetch with its arguments and converters. It is immutable.
type expr struct {
	fetch      *fetch
	name       string // of a header, in lower case; of a cookie or parameter
	occurrence int    // of a header's value; 0: all
	partly     bool   // of Connection, close and keep-alive are left out
	delimiters string // of a parameter: the first of them begins the list
	anyCase    bool   // the name of a parameter is compared without regard to case
	converters []converter
	kind       kind   // of the values after the converters
	folded     bool   // the values hold no upper case
	text       string // canonical: equal texts yield equal values
}

// many says whether one call of next may not be all.
func (e *expr) many() bool { return e.fetch.many && e.occurrence == 0 }

// takesFirst says whether a format writes the first of several values; else the
// last. Cookies without a name are as in HAProxy: the first one of all.
func (e *expr) takesFirst() bool { return e.fetch.first || e.fetch.named && e.name == "" }

// next yields the next value; the first after f.at was reset. Values that a
// converter refuses are passed over.
func (e *expr) next(f *Facts) (value, presence) {
	for {
		v, p := e.fetch.get(e, f)
		switch {
		case p == absent, p == lacking && f.Final:
			return v, absent
		case p == lacking:
			return v, lacking
		case p == changing && f.Final:
			p = present
		}
		if v, ok := e.convert(f, v); ok {
			return v, p
		}
		if !e.many() {
			return v, absent
		}
	}
}

func (e *expr) convert(f *Facts, v value) (value, bool) {
	ok := true
	for i := 0; ok && i < len(e.converters); i++ {
		v, ok = e.converters[i](f, v)
	}
	return v, ok
}

// add appends a converter; the text names it with its arguments.
func (e *expr) add(c converter, to kind, text string) {
	e.converters = append(e.converters, c)
	e.kind = to
	e.text += "," + text
}

// cast makes the values of another kind, as HAProxy's sample casts do. It is
// false where there is no such cast.
func (e *expr) cast(to kind) bool {
	c, ok := casts[[2]kind{e.kind, to}]
	if !ok {
		return e.kind == to
	}
	e.add(c, to, "to "+to.String())
	return true
}

// fold makes the values lower case.
func (e *expr) fold() {
	if !e.folded {
		e.add(toLower, text, "lower")
		e.folded = true
	}
}
