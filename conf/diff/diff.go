package diff

import (
	"bytes"
	"slices"

	"sluice/conf"
)

// Between returns the changes from one configuration to another: those of the global section, then
// those of each frontend and each backend. It returns nil if there is none. The contents of a
// section that was added or removed are not listed. Both configurations must be valid.
func Between(was, is *conf.Config) []Change {
	changes := compare("global", conf.GlobalLines(was), conf.GlobalLines(is))
	p := pairing{proxiesOf(was), proxiesOf(is)}
	told := make(map[Change]bool)
	for _, k := range p.keys() {
		found := slices.DeleteFunc(p.changes(k), func(c Change) bool { return told[c] })
		for _, c := range found {
			told[c] = true // by the frontend part of a listen section, so that its backend part is silent
		}
		changes = append(changes, found...)
	}
	return changes
}

// compare returns the changes between the lines of one section.
func compare(section string, was, is []conf.Line) []Change {
	if slices.EqualFunc(was, is, sameLine) { // the usual case: most sections of a large file stay as they are
		return nil
	}
	s := comparison{section: section}
	before, after := itemsOf(was), itemsOf(is)
	for _, p := range align(before.order, after.order) { // so that an added item follows its neighbours
		if p.was != none {
			item := before.order[p.was]
			s.item(item, before.lines[item], after.lines[item])
		}
		if p.is != none && before.lines[after.order[p.is]] == nil {
			item := after.order[p.is]
			s.item(item, nil, after.lines[item])
		}
	}
	s.servers(was, is)
	return s.changes
}

func sameLine(a, b conf.Line) bool {
	return a.Name == b.Name && a.File == b.File && bytes.Equal(a.Content, b.Content) && slices.EqualFunc(a.Params, b.Params, sameParam)
}

func sameParam(a, b conf.Param) bool {
	return a.Name == b.Name && a.Bare == b.Bare && slices.Equal(a.Values, b.Values)
}

// comparison collects the changes of one section.
type comparison struct {
	section string
	changes []Change
}

// item compares the lines of one item.
func (s *comparison) item(item string, was, is []conf.Line) {
	for _, p := range align(texts(was), texts(is)) {
		switch {
		case p.is == none:
			s.line(item, was[p.was], Change{Verb: Removed, Was: was[p.was].String(), WasAt: p.was + 1})
		case p.was == none:
			s.line(item, is[p.is], Change{Verb: Added, Is: is[p.is].String(), IsAt: p.is + 1})
		default:
			s.both(item, was[p.was], is[p.is], p)
		}
	}
}

func texts(lines []conf.Line) []string {
	all := make([]string, len(lines))
	for i, l := range lines {
		all[i] = l.String()
	}
	return all
}

// line adds a change of a line. Places that have no meaning are removed.
func (s *comparison) line(item string, l conf.Line, c Change) {
	c.Section, c.Item = s.section, item
	if c.Kind != File {
		c.Kind = kindOf(l, item)
	}
	if !lists[item] {
		c.WasAt, c.IsAt = 0, 0
	}
	s.changes = append(s.changes, c)
}

// both adds the changes of a line that is there before and after.
func (s *comparison) both(item string, was, is conf.Line, p pair) {
	c := Change{Verb: Changed, Was: was.String(), Is: is.String(), WasAt: p.was + 1, IsAt: p.is + 1}
	switch {
	case c.Was != c.Is && lists[item]:
		s.line(item, is, c)
	case c.Was != c.Is:
		s.parameters(item, was, is)
	case p.moved && lists[item]:
		c.Verb = Moved
		s.line(item, is, c)
	}
	if c.Was == c.Is && !bytes.Equal(was.Content, is.Content) {
		c.Kind, c.Verb, c.Was, c.Is = File, Changed, is.File, is.File
		s.line(item, is, c)
	}
}

// parameters adds the changes of the parameters of a line.
func (s *comparison) parameters(item string, was, is conf.Line) {
	rest := slices.Clone(is.Params)
	for _, before := range was.Params {
		i := slices.IndexFunc(rest, func(p conf.Param) bool { return p.Name == before.Name })
		if i < 0 {
			s.parameter(item, was, Change{Verb: Removed, Param: before.Name, Was: before.Text()})
			continue
		}
		if before.Text() != rest[i].Text() {
			s.parameter(item, is, Change{Verb: Changed, Param: before.Name, Was: before.Text(), Is: rest[i].Text()})
		}
		rest = slices.Delete(rest, i, i+1)
	}
	for _, after := range rest {
		s.parameter(item, is, Change{Verb: Added, Param: after.Name, Is: after.Text()})
	}
}

func (s *comparison) parameter(item string, l conf.Line, c Change) {
	s.line(item, l, c)
	if directives[c.Param].kind == Limit {
		s.changes[len(s.changes)-1].Kind = Limit
	}
}

// servers adds the servers that have changed their place among the others.
func (s *comparison) servers(was, is []conf.Line) {
	names := serversIn(is)
	for _, p := range align(serversIn(was), names) {
		if p.moved {
			s.changes = append(s.changes, Change{Kind: Server, Verb: Moved, Section: s.section, Item: names[p.is], WasAt: p.was + 1, IsAt: p.is + 1})
		}
	}
}

// serversIn returns the items of the servers, in their order.
func serversIn(lines []conf.Line) []string {
	var all []string
	for _, l := range lines {
		if directives[l.Name].kind == Server {
			all = append(all, itemOf(l))
		}
	}
	return all
}
