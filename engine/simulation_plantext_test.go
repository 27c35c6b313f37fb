//go:build simulation

package engine

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// String returns the plan in the syntax of the flag -plan, for example
// "seed=7;schedule=2;conversations=3,9;with=tick|b0 cookie;world=1f9a". The value of world is the
// hash that mark returns.
func (p *worldPlan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed=%d", p.seed)
	if p.schedule > 0 {
		fmt.Fprintf(&b, ";schedule=%d", p.schedule)
	}
	if len(p.talks) < len(planWorld(p.seed).talks) {
		fmt.Fprintf(&b, ";conversations=%s", strings.Trim(strings.ReplaceAll(fmt.Sprint(p.talks), " ", ","), "[]"))
	}
	if p.with != nil {
		fmt.Fprintf(&b, ";with=%s", strings.Join(p.with, "|"))
	}
	fmt.Fprintf(&b, ";world=%s", p.mark())
	return b.String()
}

// parsePlan is the inverse of String. A number alone is the plan of that seed. stale means that the
// hash is that of another world, because the generator of worlds has changed since the text was
// written.
func parsePlan(text string) (p *worldPlan, stale bool, err error) {
	fields := strings.Split(text, ";")
	seed, err := strconv.ParseUint(strings.TrimPrefix(fields[0], "seed="), 10, 64)
	if err != nil {
		return nil, false, fmt.Errorf("a plan begins with seed=N: %w", err)
	}
	p = planWorld(seed)
	for _, field := range fields[1:] {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "schedule":
			p.schedule, err = strconv.ParseUint(value, 10, 64)
		case "conversations":
			p.talks, err = parseNumbers(value)
		case "with":
			p.with = strings.Split(value, "|")
		case "world":
			stale = value != p.mark()
		default:
			err = fmt.Errorf("a plan has no %q", name)
		}
		if err != nil {
			return nil, false, err
		}
	}
	return p, stale, nil
}

func parseNumbers(text string) (numbers []int, err error) {
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// mark returns a short hash of the world: of its configuration, its sizes and its conversations.
func (p *worldPlan) mark() string {
	s := setScene(p)
	h := fnv.New32a()
	fmt.Fprintln(h, s.config(), s.unusual())
	for _, number := range p.talks {
		fmt.Fprintln(h, s.talk(number))
	}
	return fmt.Sprintf("%08x", h.Sum32())
}
