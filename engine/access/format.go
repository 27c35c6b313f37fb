package access

import "sluice/conf"

// Format is a compiled log-format. It is immutable.
type Format struct {
	parts     []part
	addresses bool
	serial    bool
}

// AsksAddresses reports whether the format contains Local or Source of a [Record]. To find these
// costs system calls. A nil Format contains neither.
func (f *Format) AsksAddresses() bool { return f != nil && f.addresses }

// AsksSerial reports whether the format contains Serial. All loops share that counter.
func (f *Format) AsksSerial() bool { return f != nil && f.serial }

// part is a literal text, a variable or a sample.
type part struct {
	literal string
	write   writer // writes a variable or sample; nil: a literal text
	flags   conf.FormatFlags
	header  bool // a variable for captured header fields, which may write nothing
}

// writer appends the value of a variable, formatted by its flags.
type writer func(f *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte

// NewFormat compiles a format that package conf has checked. It returns nil for nil.
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

// AppendCustom appends the line of `log-format` (configuration.txt 8.2.6) to dst, without header
// and newline. For a connection in mode tcp only the embedded Record of r is set. AppendCustom does
// not allocate if dst has enough capacity.
//
// As in HAProxy, a blank at the start of the line is left out. A blank after another blank is left
// out if a variable between them wrote nothing because nothing was captured.
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
