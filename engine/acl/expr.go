package acl

// expr is a fetch with its arguments and converters. It is immutable.
type expr struct {
	fetch      *fetch
	name       string // of a header field, in lower case; of a cookie or parameter, as written; empty: all
	occurrence int    // which value of a header field, from 1; below 0: from the last; 0: all
	partly     bool   // leave out the entries close and keep-alive of Connection
	delimiters string // of url_param: the first byte starts the list, every byte separates its parameters
	anyCase    bool   // compare the name of a parameter without regard to case
	converters []converter
	kind       kind   // of the values after the converters
	folded     bool   // the values contain no upper case letters
	text       string // canonical text: exprs with equal texts yield equal values
}

// many reports whether next may return more than one value.
func (e *expr) many() bool { return e.fetch.many && e.occurrence == 0 }

// takesFirst reports whether a format writes the first of several values. Otherwise it writes the
// last. For cookies without a name the first counts, as in HAProxy.
func (e *expr) takesFirst() bool { return e.fetch.first || e.fetch.named && e.name == "" }

// next returns the next value. After f.at is reset it returns the first. It skips values that a
// converter refuses.
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

// add appends a converter. text is its name with its arguments.
func (e *expr) add(c converter, to kind, text string) {
	e.converters = append(e.converters, c)
	e.kind = to
	e.text += "," + text
}

// cast converts the values to another kind, as HAProxy's sample casts do. It returns false if there
// is no such cast.
func (e *expr) cast(to kind) bool {
	c, ok := casts[[2]kind{e.kind, to}]
	if !ok {
		return e.kind == to
	}
	e.add(c, to, "to "+to.String())
	return true
}

// fold converts the values to lower case.
func (e *expr) fold() {
	if !e.folded {
		e.add(toLower, text, "lower")
		e.folded = true
	}
}
