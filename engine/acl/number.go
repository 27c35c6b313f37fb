package acl

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// dotted encodes a version as one number, as HAProxy's req.ssl_ver does.
func dotted(major, minor int64) int64 { return major<<16 | minor }

// numbers parses integer patterns (configuration.txt 7.1.3): a number, a range low:high with one
// end optional, or an operator. An operator applies to the numbers after it.
type numbers struct {
	dotted   bool
	operator string
	spans    []span
}

// take parses one pattern and adds its range to spans.
func (n *numbers) take(pattern string) error {
	switch pattern {
	case "eq", "ge", "gt", "le", "lt":
		n.operator = pattern
		return nil
	}
	s, err := n.span(pattern)
	if err == nil && s.low > s.high {
		err = errors.New("is a range with nothing in it, wanted the lower end first")
	}
	if err == nil {
		n.spans = append(n.spans, s)
	}
	return err
}

func (n *numbers) span(pattern string) (span, error) {
	low, high, isRange := cutRange(pattern)
	if isRange {
		return n.between(low, high)
	}
	v, err := n.scalar(pattern)
	switch n.operator {
	case "ge":
		return span{v, math.MaxInt64}, err
	case "gt":
		return span{v + 1, math.MaxInt64}, err
	case "le":
		return span{math.MinInt64, v}, err
	case "lt":
		return span{math.MinInt64, v - 1}, err
	}
	return span{v, v}, err
}

// cutRange splits a range at a colon. Like HAProxy it also splits at a dash after a number.
func cutRange(pattern string) (low, high string, ok bool) {
	if low, high, ok = strings.Cut(pattern, ":"); ok {
		return low, high, true
	}
	if i := strings.LastIndexByte(pattern, '-'); i > 0 {
		return pattern[:i], pattern[i+1:], true
	}
	return pattern, "", false
}

func (n *numbers) between(low, high string) (span, error) {
	s := span{math.MinInt64, math.MaxInt64}
	if n.operator != "" && n.operator != "eq" {
		return s, fmt.Errorf("is a range, which '%s' can't take, wanted one integer", n.operator)
	}
	var err error
	if low == "" && high == "" {
		return s, n.wanted()
	}
	if low != "" {
		s.low, err = n.scalar(low)
	}
	if high != "" && err == nil {
		s.high, err = n.scalar(high)
	}
	return s, err
}

func (n *numbers) scalar(text string) (int64, error) {
	if !n.dotted {
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v == math.MaxInt64 || v == math.MinInt64 {
			return 0, n.wanted()
		}
		return v, nil
	}
	major, minor, both := strings.Cut(text, ".")
	if !both {
		minor = "0"
	}
	a, errA := strconv.ParseUint(major, 10, 8)
	b, errB := strconv.ParseUint(minor, 10, 8)
	if errA != nil || errB != nil {
		return 0, n.wanted()
	}
	return dotted(int64(a), int64(b)), nil
}

func (n *numbers) wanted() error {
	if n.dotted {
		return errors.New("is no version, wanted one such as 3.3, a range such as 3.1:3.3, or eq, ge, gt, le, lt and a version")
	}
	return errors.New("is no integer, wanted one such as 80, a range such as 1024:65535, or eq, ge, gt, le, lt and an integer")
}
