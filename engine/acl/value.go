package acl

import (
	"os"
	"slices"

	"sluice/conf"
	"sluice/sniff"
)

// Value is a compiled format that a rule writes. It is immutable. A nil Value writes nothing.
type Value struct{ parts []piece }

// piece is a part of a format: a literal text, a variable or a sample.
type piece struct {
	literal string
	write   writer // writes a variable; nil: the part is no variable
	expr    *expr  // yields a sample; nil: the part is no sample
	flags   conf.FormatFlags
	plain   bool // flag Q quotes only a missing value
}

// Append appends the value to dst. Control bytes in a sample are written as %XX, as in HAProxy,
// because they could end a header field. Append allocates nothing if dst has enough capacity. It
// stops after the part with which the value exceeds sniff.MaxBytes, the maximum size of a head. The
// caller must refuse such a value, because the rest is missing.
func (v *Value) Append(dst []byte, f *Facts) []byte {
	if v == nil {
		return dst
	}
	start := len(dst)
	for i := 0; i < len(v.parts) && len(dst)-start <= sniff.MaxBytes; i++ {
		p := &v.parts[i]
		switch {
		case p.expr != nil:
			dst = p.sample(dst, f)
		case p.write != nil:
			dst = p.variable(dst, f)
		default:
			dst = append(dst, p.literal...)
		}
	}
	return dst
}

// sample appends a value of expr as text. It appends nothing if a converter refuses the value, also
// if it would accept another one of the list, as in HAProxy (measured in testdata/haproxy/values.txt).
func (p *piece) sample(dst []byte, f *Facts) []byte {
	v, ok := p.expr.chosen(f)
	if !ok {
		return dst
	}
	v, done := p.expr.convert(f, v)
	if done < len(p.expr.converters) {
		return dst
	}
	return p.appendSafe(dst, v.b)
}

const hexDigits = "0123456789ABCDEF"

// appendSafe writes control bytes as %XX. With flag E it writes a backslash before '"', '\' and ']'.
func (p *piece) appendSafe(dst, b []byte) []byte {
	for _, c := range b {
		switch {
		case c < ' ' && c != '\t' || c == 0x7f:
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
		case p.escapes(c):
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// escapes reports whether the part writes a backslash before a byte.
func (p *piece) escapes(c byte) bool {
	return p.flags&conf.Escape != 0 && (c == '"' || c == '\\' || c == ']')
}

// variable appends a variable, quoted and escaped if its flags say so.
func (p *piece) variable(dst []byte, f *Facts) []byte {
	if p.flags == 0 {
		return p.write(dst, f)
	}
	f.text = p.write(f.text[:0], f)
	quotes := p.flags&conf.Quote != 0 && !(p.plain && len(f.text) > 0)
	if quotes {
		dst = append(dst, '"')
	}
	for _, c := range f.text {
		if p.escapes(c) {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	if quotes {
		dst = append(dst, '"')
	}
	return dst
}

// value compiles a format of the rule. It returns nil for nil.
func (v *valuer) value(f *conf.Format) *Value {
	if f == nil {
		return nil
	}
	out := &Value{}
	for _, p := range f.Parts {
		switch p.Kind {
		case conf.Literal:
			out.parts = append(out.parts, piece{literal: p.Text})
		case conf.Variable:
			out.parts = append(out.parts, v.variable(p))
		case conf.Sample:
			if e := v.sample(p); e != nil {
				out.parts = append(out.parts, piece{expr: e, flags: p.Flags & conf.Escape})
			}
		}
	}
	out.parts = slices.Clip(out.parts)
	return out
}

func (v *valuer) variable(p conf.Part) piece {
	known, ok := variables[p.Text]
	switch {
	case p.Text == "H":
		name := hostname()
		known.write = func(dst []byte, _ *Facts) []byte { return append(dst, name...) }
	case !ok:
		v.problems.Errorf(v.at, "%s in %s: '%%%s' is not supported here", v.what, v.where, p.Text)
		return piece{}
	}
	v.dst = v.dst || p.Text == "fi" || p.Text == "fp"
	v.source = v.source || v.response && (p.Text == "bi" || p.Text == "bp")
	if known.line && v.response {
		v.lost("%"+p.Text, fetches["path"])
	}
	out := piece{write: known.write, flags: p.Flags &^ conf.Hex, plain: known.plain}
	if known.hex != nil && p.Flags&conf.Hex != 0 {
		out.write, out.plain = known.hex, true
	}
	return out
}

// lost reports an error if a part of a format is never present in this rule.
func (v *valuer) lost(text string, f *fetch) {
	if why := v.gone(f); why != "" {
		v.problems.Errorf(v.at, "%s in %s: '%s': %s", v.what, v.where, text, why)
	}
}

// hostname returns the value of %H.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

// sample compiles %[fetch,converter...]. It returns nil if the sample has an error.
func (v *valuer) sample(p conf.Part) *expr {
	b := builder{compiler: v.compiler, what: v.what, line: &conf.ACL{
		Pos: v.at, Keyword: p.Expr[0].Name, Args: p.Expr[0].Args, Converters: p.Expr[1:],
	}}
	switch {
	case !b.fetch():
		return nil
	case b.match != "":
		b.errorf("unknown fetch '%s'; in a value the name stands alone, without _%s", b.line.Keyword, b.match)
		return nil
	}
	b.converters()
	if b.failed {
		return nil
	}
	v.lost("%["+p.Text+"]", b.expr.fetch)
	v.reads = v.reads || b.expr.fetch.needs.HTTP || b.expr.fetch.response
	v.dst = v.dst || b.expr.fetch.needs.Dst
	b.expr.cast(text)
	return v.shared(&b.expr)
}
