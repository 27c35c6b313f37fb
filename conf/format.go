package conf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Format is a log-format string (configuration.txt 8.2.6), cut into parts.
type Format struct {
	Text  string // as written
	Parts []Part
}

// PartKind says what a Part is.
type PartKind uint8

// The kinds of parts.
const (
	Literal  PartKind = iota // Text as it is
	Variable                 // %ci: Text is the name without the percent sign
	Sample                   // %[src]: Expr
)

// Part is one piece of a Format.
type Part struct {
	Kind  PartKind
	Text  string // of a Sample: as written between the brackets
	Expr  []Call // of a Sample: a fetch and its converters
	Flags FormatFlags
}

// FormatFlags are those of %{+Q,+E}ci, those of an %{...}o before it included.
type FormatFlags uint8

// The flags.
const (
	Quote  FormatFlags = 1 << iota // Q: in double quotes
	Escape                         // E: a backslash before '"', '\' and ']'
	Hex                            // X: addresses, ports and numbers in hexadecimal
)

// formatUse says where a Format stands, which decides on its variables.
type formatUse uint8

const (
	forLog   formatUse = 1 << iota // log-format
	forValue                       // what a rule writes into a request or response
	forBody                        // the same, and may hold several lines
)

const forAny = forLog | forValue | forBody

// variables are those with a meaning here, and where they have it.
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

// parseFormat cuts a log-format string into parts.
func parseFormat(text string, use formatUse) (*Format, error) {
	p := formatParser{rest: text, use: use}
	for p.rest != "" {
		if err := p.step(); err != nil {
			return nil, err
		}
	}
	return &Format{Text: text, Parts: p.parts}, nil
}

// literalFormat is a format that yields text whatever it holds.
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
	flags FormatFlags // of %{...}o
}

// step takes text up to a percent sign, or what the percent sign begins.
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

// literal adds text to the part before it where that is text too.
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

// mergeBlanks makes one blank of several, as HAProxy does in log lines only.
func mergeBlanks(text string) string {
	for strings.Contains(text, "  ") {
		text = strings.ReplaceAll(text, "  ", " ")
	}
	return text
}

// variable takes what follows a percent sign: [expr], NAME or {flags}NAME.
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

// takeFlags reads {+Q,-E}; they change those of the last %{...}o.
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

// sample takes [expr].
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
		part.Flags &^= Hex // HAProxy heeds it for variables only
	}
	p.parts = append(p.parts, part)
	return nil
}

// logSamples are the samples that a log line can have: what was noted while
// the request was there.
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

// exprEnd finds the bracket that closes an expression, past those inside
// parentheses and quotes; -1: none.
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
