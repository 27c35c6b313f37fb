package stat

import (
	"strconv"
	"strings"
)

// Metric describes one value that Sluice shows of the process, or of a frontend, a backend or a
// server. S is the type of the source from which the value is read: *Row or *Info.
//
// Columns and Keys are the tables of all metrics. Every output is written from them.
type Metric[S Source] struct {
	Name   string // HAProxy's name of the column or key
	Scope  Scope  // kinds of objects that can have the value
	tags   string // see Tags; the tags of a backend follow after a space if they differ
	Format Format // type of the value
	Mark   Mark   // special property; 0: none
	read   func(S) Value
	Text   string // explanation for users
}

// Source is an object from which values are read: *Row or *Info.
type Source interface {
	in(Scope) bool // reports whether the object is of one of these kinds
}

// Of returns the value of the metric for one object. The value is empty if objects of this kind do
// not have the metric.
func (m *Metric[S]) Of(from S) Value {
	if !from.in(m.Scope) {
		return Value{}
	}
	return m.read(from)
}

// Tags returns the three letters of HAProxy's typed output: origin, nature and scope of the value
// (management.txt 9.2). For example, MCP is a metric, a counter, of this process.
func (m *Metric[S]) Tags(of Scope) string {
	most, backend, differs := strings.Cut(m.tags, " ")
	if differs && of == ForBackend {
		return backend
	}
	return most
}

// Scope is a set of kinds of objects. `show stat` has the same bits in its argument <type>.
type Scope uint8

// The kinds of objects.
const (
	ForFrontend Scope = 1 << iota
	ForBackend
	ForServer
	ForProcess
)

// Format is the type of a value, as HAProxy's typed output names it.
type Format string

// The formats: integers of 32 and 64 bits, with and without a sign, and texts.
const (
	U32 Format = "u32"
	S32 Format = "s32"
	U64 Format = "u64"
	Str Format = "str"
)

// Mark is a special property of a metric. The zero value is none.
type Mark uint8

// The marks.
const (
	// Unused means that the metric describes a feature that Sluice lacks, or events that Sluice
	// does not count. The value never changes. It is the value of a HAProxy that does not use the
	// feature.
	Unused Mark = iota + 1
	// Legend means that only the levels operator and admin see the value, as in HAProxy.
	Legend
)

// Value is the value of a metric at one moment: a number, a text, or nothing. The zero Value is
// empty.
type Value struct {
	text   string
	number int64
	kind   kind
}

// kind is the content of a Value.
type kind uint8

const (
	isEmpty kind = iota
	isNumber
	isText
)

// Number returns a value that is a number.
func Number(n int64) Value { return Value{number: n, kind: isNumber} }

// Text returns a value that is a text. An empty text is not the same as an empty value: the object
// has the property, and the property is "".
func Text(s string) Value { return Value{text: s, kind: isText} }

// Empty reports whether the value is neither a number nor a text.
func (v Value) Empty() bool { return v.kind == isEmpty }

// Append appends the value to to, as text. For an empty value it appends nothing.
func (v Value) Append(to []byte) []byte {
	if v.kind == isNumber {
		return strconv.AppendInt(to, v.number, 10)
	}
	return append(to, v.text...)
}

// String returns the value as text. An empty value is "".
func (v Value) String() string { return string(v.Append(nil)) }
