package stat

// This file has the functions that read values, for the tables Columns and Keys.

func (*Row) nothing() Value { return Value{} }

func (*Row) zero() Value { return Number(0) }

func (*Row) one() Value { return Number(1) }

func (r *Row) zeroInHTTP() Value { return r.inHTTP(0) }

// inHTTP returns n in mode http, and an empty value in mode tcp.
func (r *Row) inHTTP(n int64) Value {
	if !r.HTTP {
		return Value{}
	}
	return Number(n)
}

// unlessZero returns n, or an empty value for 0.
func unlessZero(n int64) Value {
	if n == 0 {
		return Value{}
	}
	return Number(n)
}

// positive returns a function that reads a number; 0 gives an empty value.
func positive[S Source](read func(S) int) func(S) Value {
	return func(from S) Value { return unlessZero(int64(read(from))) }
}

// num, integer and text return a function that reads a value of this type.
func num[S Source](read func(S) int64) func(S) Value {
	return func(from S) Value { return Number(read(from)) }
}

func integer[S Source](read func(S) int) func(S) Value {
	return func(from S) Value { return Number(int64(read(from))) }
}

func text[S Source](read func(S) string) func(S) Value {
	return func(from S) Value { return Text(read(from)) }
}

// count returns a function that reads a counter.
func count(read func(*Row) *Counter) func(*Row) Value {
	return func(r *Row) Value { return Number(read(r).Load()) }
}

// checked returns a function that reads a number. For servers without checks the value is empty.
func checked(read func(*Row) int64) func(*Row) Value {
	return func(r *Row) Value {
		if r.Scope == ForServer && !r.Check.Checked {
			return Value{}
		}
		return Number(read(r))
	}
}

// checking returns a function that reads a value of the checks. The value is empty if no checks
// run.
func checking(read func(*Check) Value) func(*Row) Value {
	return func(r *Row) Value {
		if !r.Check.Running {
			return Value{}
		}
		return read(&r.Check)
	}
}

// ended returns a function that reads a value of the last check. The value is empty before the
// first check has ended.
func ended(read func(*Check) Value) func(*Row) Value {
	return func(r *Row) Value {
		if !r.Check.Ended {
			return Value{}
		}
		return read(&r.Check)
	}
}

// answers returns a function that reads the number of answers of a class of status, see
// Requests.Class.
func answers(class int) func(*Row) Value {
	return func(r *Row) Value { return r.inHTTP(r.Requests.Class(class)) }
}

// average and highest return a function that reads the average or the highest sample of a time, in
// ms.
func average(read func(*Times) *Mean) func(*Row) Value {
	return func(r *Row) Value { return Number(read(&r.Times).Avg()) }
}

func highest(read func(*Times) *Mean) func(*Row) Value {
	return func(r *Row) Value { return Number(read(&r.Times).Max()) }
}
