package conf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Format is a log-format string (configuration.txt 8.2.6), split into parts.
type Format struct {
	Text  string // as written
	Parts []Part
}

// PartKind is the kind of a Part.
type PartKind uint8

// The kinds of parts.
const (
	Literal  PartKind = iota // Text is the literal text
	Variable                 // a variable such as %ci: Text is its name without the percent sign
	Sample                   // a sample such as %[src]: Expr is the expression
)

// Part is one piece of a Format.
type Part struct {
	Kind  PartKind
	Text  string // for a Sample: the text between the brackets, as written
	Expr  []Call // for a Sample: a fetch and its converters
	Flags FormatFlags
}

// FormatFlags are the flags of a variable, as in %{+Q,+E}ci. They include the flags of a %{...}o
// before it.
type FormatFlags uint8

// The flags.
const (
	Quote  FormatFlags = 1 << iota // Q: in double quotes
	Escape                         // E: a backslash before '"', '\' and ']'
	Hex                            // X: addresses, ports and numbers in hexadecimal
)

// formatUse is the place where a Format is used. It decides which variables are allowed.
type formatUse uint8

const (
	forLog   formatUse = 1 << iota // log-format
	forValue                       // a value that a rule writes into a request or an answer
	forBody                        // the body of an answer, which may have several lines
)

const forAny = forLog | forValue | forBody

// variables maps each supported variable to the places where it is allowed.
var variables = map[string]formatUse{
	"B": forLog, "CC": forLog, "CS": forLog, "H": forAny, "HM": forAny, "HP": forAny, "HPO": forAny, "HQ": forAny,
	"HU": forAny, "HV": forAny, "ST": forLog, "T": forAny, "Ta": forLog, "Tc": forLog, "Td": forLog, "Th": forLog,
	"Ti": forLog, "Tl": forAny, "Tq": forLog, "TR": forLog, "Tr": forLog, "Ts": forAny, "Tt": forLog, "Tu": forLog,
	"Tw": forLog, "U": forLog, "ac": forLog, "b": forAny, "bc": forLog, "bi": forAny, "bp": forAny, "bq": forLog,
	"ci": forAny, "cp": forAny, "f": forAny, "fc": forLog, "fi": forAny, "fp": forAny, "ft": forAny, "hr": forLog,
	"hrl": forLog, "hs": forLog, "hsl": forLog, "ms": forAny, "pid": forLog, "r": forAny, "rc": forLog, "rt": forLog,
	"s": forAny, "sc": forLog, "si": forAny, "sp": forAny, "sq": forLog, "t": forAny, "tr": forLog, "trg": forLog,
	"trl": forLog, "ts": forLog, "tsc": forLog,
}

// parseFormat splits a log-format string into parts.
func parseFormat(text string, use formatUse) (*Format, error) {
	p := formatParser{rest: text, use: use}
	for p.rest != "" {
		if err := p.step(); err != nil {
			return nil, err
		}
	}
	return &Format{Text: text, Parts: p.parts}, nil
}

// literalFormat returns a format that writes text unchanged, even if it contains percent signs.
func literalFormat(text string) *Format {
	f := &Format{Text: strings.ReplaceAll(text, "%", "%%")}
	if text != "" {
		f.Parts = []Part{{Kind: Literal, Text: text}}
	}
	return f
}

type formatParser struct {
	rest  string
	use   formatUse
	parts []Part
	flags FormatFlags // of the last %{...}o
}

// step parses the text up to a percent sign, or the element that a percent sign starts.
func (p *formatParser) step() error {
	end := strings.IndexByte(p.rest, '%')
	switch {
	case strings.HasPrefix(p.rest, "%%"):
		p.rest = p.rest[2:]
		return p.literal("%")
	case end == 0:
		p.rest = p.rest[1:]
		return p.variable()
	case end < 0:
		end = len(p.rest)
	}
	text := p.rest[:end]
	p.rest = p.rest[end:]
	return p.literal(text)
}

// literal adds a literal text. It extends the previous part if that is literal too.
func (p *formatParser) literal(text string) error {
	if p.use != forBody && strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("%q, wanted text without control characters", text)
	}
	n := len(p.parts)
	if n == 0 || p.parts[n-1].Kind != Literal {
		p.parts = append(p.parts, Part{Kind: Literal})
		n++
	}
	last := &p.parts[n-1]
	last.Text += text
	if p.use == forLog {
		last.Text = mergeBlanks(last.Text)
	}
	return nil
}

// mergeBlanks replaces several blanks by one. HAProxy does this in log lines only.
func mergeBlanks(text string) string {
	for strings.Contains(text, "  ") {
		text = strings.ReplaceAll(text, "  ", " ")
	}
	return text
}

// variable parses the text after a percent sign: [expr], NAME or {flags}NAME.
func (p *formatParser) variable() error {
	flags, err := p.takeFlags()
	if err != nil {
		return err
	}
	if strings.HasPrefix(p.rest, "[") {
		return p.sample(flags)
	}
	end := 0
	for end < len(p.rest) && isAlnum(p.rest[end]) {
		end++
	}
	name := p.rest[:end]
	p.rest = p.rest[end:]
	use, known := variables[name]
	switch {
	case name == "o":
		p.flags = flags
		return nil
	case name == "":
		return errors.New("'%' without a variable, wanted one such as %ci, %[src], or %% for the sign itself")
	case !known:
		return fmt.Errorf("no variable '%%%s' is known%s", name, suggest(name, keysOf(variables), "%"))
	case use&p.use == 0:
		return fmt.Errorf("'%%%s' is known in log-format only", name)
	}
	p.parts = append(p.parts, Part{Kind: Variable, Text: name, Flags: flags})
	return nil
}

func isAlnum(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' }

var formatFlags = map[byte]FormatFlags{'Q': Quote, 'E': Escape, 'X': Hex}

// takeFlags parses {+Q,-E}. The flags change those of the last %{...}o.
func (p *formatParser) takeFlags() (FormatFlags, error) {
	flags := p.flags
	if !strings.HasPrefix(p.rest, "{") {
		return flags, nil
	}
	list, rest, closed := strings.Cut(p.rest[1:], "}")
	if !closed {
		return 0, errors.New("'%{' is not closed, wanted '}'")
	}
	p.rest = rest
	for word := range strings.SplitSeq(list, ",") {
		switch {
		case len(word) != 2 || formatFlags[word[1]] == 0 || word[0] != '+' && word[0] != '-':
			return 0, fmt.Errorf("flag '%s', wanted +Q, -Q, +E, -E, +X or -X", word)
		case word[0] == '+':
			flags |= formatFlags[word[1]]
		default:
			flags &^= formatFlags[word[1]]
		}
	}
	return flags, nil
}

// sample parses [expr].
func (p *formatParser) sample(flags FormatFlags) error {
	end := exprEnd(p.rest)
	if end < 0 {
		return errors.New("'%[' is not closed, wanted ']'")
	}
	text := p.rest[1:end]
	p.rest = p.rest[end+1:]
	calls, err := parseExpr(strings.TrimSpace(text))
	if err != nil {
		return err
	}
	part := Part{Kind: Sample, Text: text, Expr: calls, Flags: flags}
	if p.use == forLog {
		if err := loggable(text, calls); err != nil {
			return err
		}
		part.Flags &^= Hex // HAProxy applies it to variables only
	}
	p.parts = append(p.parts, part)
	return nil
}

// logSamples are the samples that a log line may contain. Their values are recorded while the
// request is processed.
var logSamples = []string{
	"src", "src_port", "dst", "dst_port", "fe_name", "be_name", "srv_name",
	"capture.req.method", "capture.req.uri", "capture.req.ver", "status",
}

func loggable(text string, calls []Call) error {
	if slices.Contains(logSamples, calls[0].Name) && len(calls) == 1 && calls[0].Args == nil {
		return nil
	}
	return fmt.Errorf("'%%[%s]': not supported in log-format; a header is logged by 'capture request header' and %%hr, and of samples %s", text, list(slices.Sorted(slices.Values(logSamples))))
}

// exprEnd returns the position of the bracket that closes an expression. Brackets inside
// parentheses and quotes do not count. It returns -1 if there is none.
func exprEnd(text string) int {
	inArgs, quote := false, byte(0)
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == quote:
			quote = 0
		case inArgs && c == '\\' && quote != '\'':
			i++
		case quote != 0:
		case inArgs && (c == '"' || c == '\''):
			quote = c
		case c == '(':
			inArgs = true
		case c == ')':
			inArgs = false
		case c == ']' && !inArgs:
			return i
		}
	}
	return -1
}
