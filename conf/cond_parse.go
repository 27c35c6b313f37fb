package conf

import (
	"errors"
	"fmt"
	"strings"

	"sluice/conf/haproxy"
)

// ParseCond parses `if` or `unless` with a condition (configuration.txt 7.2). Terms in a row must
// all be true, `||` or `or` starts an alternative, `!` negates a term, and `{ ... }` is an
// anonymous ACL.
func ParseCond(at Pos, words []string) (*Cond, error) {
	if len(words) == 0 || words[0] != "if" && words[0] != "unless" {
		return nil, fmt.Errorf("found '%s', wanted 'if' or 'unless' and a condition", strings.Join(words, " "))
	}
	c := &Cond{Pos: at, Unless: words[0] == "unless"}
	p := condParser{at: at, words: words[1:]}
	if len(p.words) == 0 {
		return nil, fmt.Errorf("nothing follows '%s', wanted a condition", words[0])
	}
	for {
		terms, err := p.terms()
		if err != nil {
			return nil, fmt.Errorf("condition '%s': %w", strings.Join(words[1:], " "), err)
		}
		c.Any = append(c.Any, terms)
		if len(p.words) == 0 {
			c.Text = haproxy.Join(c.Words())
			return c, nil
		}
		p.words = p.words[1:]
	}
}

type condParser struct {
	at    Pos
	words []string
}

func isOr(word string) bool { return word == "||" || word == "or" }

// terms parses the terms up to an `||` or the end.
func (p *condParser) terms() ([]Term, error) {
	var all []Term
	for len(p.words) > 0 && !isOr(p.words[0]) {
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	if all == nil {
		return nil, errors.New("nothing stands on one side of '||', wanted an ACL on either")
	}
	return all, nil
}

func (p *condParser) term() (Term, error) {
	var t Term
	word := p.words[0]
	p.words = p.words[1:]
	for {
		rest, negated := strings.CutPrefix(word, "!")
		if !negated {
			break
		}
		t.Not = !t.Not
		word = rest
		if word == "" && len(p.words) > 0 {
			word, p.words = p.words[0], p.words[1:]
		}
	}
	var err error
	switch {
	case word == "" || isOr(word):
		return t, errors.New("nothing follows '!', wanted an ACL")
	case word == "{":
		t.Anon, err = p.anonymous()
	case strings.HasPrefix(word, "{"):
		err = fmt.Errorf("'%s', wanted a blank after '{'", word)
	default:
		t.Name = word
		if r, bad := badNameRune(word); bad {
			err = fmt.Errorf("'%s', wanted the name of an ACL (found %q)", word, r)
		}
	}
	return t, err
}

// anonymous parses an ACL up to the closing brace.
func (p *condParser) anonymous() (*ACL, error) {
	for i, word := range p.words {
		if word == "}" {
			inside := p.words[:i]
			p.words = p.words[i+1:]
			return parseTest(p.at, inside)
		}
	}
	return nil, errors.New("'{' is not closed, wanted ' }' after a blank")
}

// Words returns the condition as words that parse to it again. It returns nil for a nil condition.
func (c *Cond) Words() []string {
	if c == nil {
		return nil
	}
	w := []string{"if"}
	if c.Unless {
		w[0] = "unless"
	}
	for i, terms := range c.Any {
		if i > 0 {
			w = append(w, "||")
		}
		for _, t := range terms {
			w = append(w, t.words()...)
		}
	}
	return w
}

func (t Term) words() []string {
	not := ""
	if t.Not {
		not = "!"
	}
	if t.Anon == nil {
		return []string{not + t.Name}
	}
	w := append([]string{"{"}, t.Anon.Words()...)
	if t.Not {
		w = append([]string{"!"}, w...)
	}
	return append(w, "}")
}
