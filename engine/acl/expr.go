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
	own        int    // how many of the converters are from the line; the others are for the match method
	kind       kind   // of the values after the converters
	folded     bool   // the values contain no upper case letters
	text       string // canonical text: exprs with equal texts yield equal values
}

// many reports whether next may return more than one value.
func (e *expr) many() bool { return e.fetch.many && e.occurrence == 0 }

// takesFirst reports whether a format writes the first of several values. Otherwise it writes the
// last. For cookies without a name the first counts, as in HAProxy.
func (e *expr) takesFirst() bool { return e.fetch.first || e.fetch.named && e.name == "" }

// next returns the next value. After f.at is reset it returns the first. A value that a converter
// of the line refuses is the end of the list, also if more values follow: HAProxy 2.6 looks for no
// more of them (measured in testdata/haproxy/lists.txt). But next skips a value that the cast for
// the match method refuses, as HAProxy does.
func (e *expr) next(f *Facts) (value, presence) {
	for {
		v, p := e.fetched(f)
		if p == absent || p == lacking {
			return v, p
		}
		v, done := e.convert(f, v)
		switch {
		case done == len(e.converters):
			return v, p
		case done < e.own || !e.many():
			return v, absent
		}
	}
}

// chosen returns the value that a format writes, before the converters: the last of several, or the
// first if the expr takes the first. found is false if there is none.
func (e *expr) chosen(f *Facts) (v value, found bool) {
	f.at = place{}
	for {
		next, p := e.fetched(f)
		if p != present && p != changing {
			return v, found
		}
		v, found = next, true
		if !e.many() || e.takesFirst() {
			return v, true
		}
	}
}

// fetched returns the next value before the converters. If f.Final is set, it returns neither
// lacking nor changing.
func (e *expr) fetched(f *Facts) (value, presence) {
	v, p := e.fetch.get(e, f)
	switch {
	case p == lacking && f.Final:
		p = absent
	case p == changing && f.Final:
		p = present
	}
	return v, p
}

// convert applies the converters. It returns how many of them accepted the value.
func (e *expr) convert(f *Facts, v value) (converted value, done int) {
	for i, c := range e.converters {
		var ok bool
		if v, ok = c(f, v); !ok {
			return v, i
		}
	}
	return v, len(e.converters)
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
