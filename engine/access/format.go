package access

import "sluice/conf"

// Format is a log-format, compiled. It is immutable.
type Format struct {
	parts     []part
	addresses bool
	serial    bool
}

// AsksAddresses reports whether a line of it tells Local or Source of a
// [Record], which costs system calls to find out. The nil Format tells neither.
func (f *Format) AsksAddresses() bool { return f != nil && f.addresses }

// AsksSerial reports the same of Serial, which all loops share.
func (f *Format) AsksSerial() bool { return f != nil && f.serial }

// part is text, or what yields it.
type part struct {
	literal string
	write   writer // of a variable or sample
	flags   conf.FormatFlags
	header  bool // of captured headers, which may be none
}

// writer appends what a variable stands for, as its flags want it.
type writer func(f *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte

// NewFormat compiles what conf has checked; nil yields nil.
func NewFormat(f *conf.Format) *Format {
	if f == nil {
		return nil
	}
	format := &Format{}
	for _, p := range f.Parts {
		switch p.Kind {
		case conf.Literal:
			format.parts = append(format.parts, part{literal: p.Text})
		case conf.Variable:
			format.add(p.Text, variables[p.Text], p.Flags)
		case conf.Sample:
			format.add(p.Expr[0].Name, samples[p.Expr[0].Name], p.Flags)
		}
	}
	return format
}

func (f *Format) add(name string, write writer, flags conf.FormatFlags) {
	p := part{write: write, flags: flags}
	switch name {
	case "hr", "hrl", "hs", "hsl":
		p.header = true
	case "fi", "fp", "dst", "dst_port", "bi", "bp":
		f.addresses = true
	case "rt":
		f.serial = true
	}
	f.parts = append(f.parts, p)
}

// AppendCustom appends the line of `log-format` (configuration.txt 8.2.6), with
// neither header nor newline. Of a connection in mode tcp the record has nothing
// but the Record in it. It does not allocate if dst has room.
//
// As in HAProxy a blank is left out at the beginning, and behind another one
// where a variable between them wrote nothing because nothing was captured.
func (f *Formatter) AppendCustom(dst []byte, format *Format, r *HTTPRecord) []byte {
	afterBlank := true
	for i := range format.parts {
		p := &format.parts[i]
		before := len(dst)
		switch {
		case p.write != nil:
			dst = p.write(f, dst, r, p.flags)
			afterBlank = afterBlank && p.header && len(dst) == before
			continue
		case afterBlank && p.literal[0] == ' ':
			dst = append(dst, p.literal[1:]...)
		default:
			dst = append(dst, p.literal...)
		}
		afterBlank = p.literal[len(p.literal)-1] == ' '
	}
	return dst
}
