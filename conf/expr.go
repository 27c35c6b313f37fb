package conf

import (
	"fmt"
	"strings"
)

// parseExpr parses `fetch[(args)][,converter[(args)]]...`. Inside the arguments HAProxy's second
// level of quoting applies (configuration.txt 2.2): quotes and backslashes protect commas and the
// closing parenthesis.
func parseExpr(text string) ([]Call, error) {
	var calls []Call
	rest := text
	for {
		end := strings.IndexAny(rest, "(,)")
		if end < 0 {
			end = len(rest)
		}
		call := Call{Name: rest[:end]}
		rest = rest[end:]
		if fault := nameFault(call.Name); fault != "" {
			return nil, fmt.Errorf("'%s', wanted a fetch such as hdr(host), and converters such as lower, with commas between", text)
		}
		if strings.HasPrefix(rest, "(") {
			var err error
			if call.Args, rest, err = parseArgs(rest[1:]); err != nil {
				return nil, fmt.Errorf("'%s': %w", text, err)
			}
		}
		calls = append(calls, call)
		if rest == "" {
			return calls, nil
		}
		if rest[0] != ',' {
			return nil, fmt.Errorf("'%s': found '%s' after %s, wanted a comma and a converter, or the end", text, rest, call.Name)
		}
		rest = rest[1:]
	}
}

// parseArgs parses arguments up to the closing parenthesis and returns the text after it. `()` has
// no argument.
func parseArgs(text string) (args []string, rest string, err error) {
	var arg strings.Builder
	var quote byte
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\' && quote != '\'' && i+1 < len(text):
			i++
			unescape(&arg, text[i])
		case quote != 0:
			arg.WriteByte(c)
		case c == '"' || c == '\'':
			quote, quoted = c, true
		case c == ',':
			args = append(args, arg.String())
			arg.Reset()
		case c == ')':
			if args == nil && arg.Len() == 0 && !quoted {
				return nil, text[i+1:], nil
			}
			return append(args, arg.String()), text[i+1:], nil
		default:
			arg.WriteByte(c)
		}
	}
	return nil, "", fmt.Errorf("the parenthesis is not closed, wanted ')'")
}

// unescape writes the character that a backslash before c stands for inside arguments. A backslash
// before another character is kept.
func unescape(to *strings.Builder, c byte) {
	switch {
	case c == 'n':
		to.WriteByte('\n')
	case c == 'r':
		to.WriteByte('\r')
	case c == 't':
		to.WriteByte('\t')
	case strings.IndexByte(" \\\"',)", c) >= 0:
		to.WriteByte(c)
	default:
		to.WriteByte('\\')
		to.WriteByte(c)
	}
}

func formatExpr(calls []Call) string {
	var b strings.Builder
	for i, c := range calls {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(c.Name)
		if c.Args == nil {
			continue
		}
		b.WriteByte('(')
		for j, arg := range c.Args {
			if j > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quoteArg(arg, len(c.Args) == 1))
		}
		b.WriteByte(')')
	}
	return b.String()
}

// quoteArg quotes an argument if necessary. A single empty argument needs quotes, because `()` has
// no argument.
func quoteArg(arg string, alone bool) string {
	if !strings.ContainsAny(arg, " ,)\\\"'\n\r\t") && (arg != "" || !alone) {
		return arg
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(arg) + `"`
}
