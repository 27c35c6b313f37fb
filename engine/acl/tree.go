package acl

import (
	"slices"
	"strings"
)

// tree is a radix tree over the patterns of prefix matches. For suffix matches it holds the
// patterns in reverse order. A look-up takes at most as many steps as the value has bytes, whatever
// the number of patterns.
type tree struct {
	rules
	nodes []node
	lists rules // rules of all nodes, one node after the other
	back  bool
}

// node holds the bytes between its parent and itself.
type node struct {
	label string
	kids  string // first byte of each child; in a tree for suffix matches: the last byte
	child int32  // index of the first child; the other children follow it

	list, end int32 // bounds in tree.lists of the rules whose pattern ends here
}

func newTree(s side, keys []key) *tree {
	t := &tree{rules: rulesOf(keys), back: s == back}
	keys = slices.Clone(keys)
	if t.back {
		for i := range keys {
			keys[i].text = reverse(keys[i].text)
		}
	}
	slices.SortFunc(keys, func(a, b key) int { return strings.Compare(a.text, b.text) })
	t.nodes = make([]node, 1, len(keys)+1)
	t.grow(0, keys, 0)
	return t
}

// grow fills the node with index at with keys. The keys are sorted and equal in their first depth
// bytes.
func (t *tree) grow(at int, keys []key, depth int) {
	shared := len(commonPrefix(keys[0].text, keys[len(keys)-1].text))
	label := keys[0].text[depth:shared]
	ending := 0
	for ending < len(keys) && len(keys[ending].text) == shared {
		ending++
	}
	list := len(t.lists)
	for _, k := range keys[:ending] {
		t.lists = append(t.lists, k.rule)
	}
	slices.Sort(t.lists[list:])
	groups := groupBy(keys[ending:], shared)
	child := len(t.nodes)
	t.nodes = append(t.nodes, make([]node, len(groups))...)
	var kids strings.Builder
	for i, g := range groups {
		kids.WriteByte(g[0].text[shared])
		t.grow(child+i, g, shared)
	}
	if t.back {
		label = reverse(label)
	}
	t.nodes[at] = node{label, kids.String(), int32(child), int32(list), int32(list + ending)}
}

func (t *tree) first(v value, from int32) int32 {
	best, rest := none, v.b
	for n := &t.nodes[0]; ; {
		var ok bool
		if rest, ok = t.cut(rest, n.label); !ok {
			return best
		}
		best = min(best, t.lists[n.list:n.end].lowest(from))
		if len(rest) == 0 {
			return best
		}
		i := strings.IndexByte(n.kids, t.edge(rest))
		if i < 0 {
			return best
		}
		n = &t.nodes[int(n.child)+i]
	}
}

// cut removes the label from the front of b; in a tree for suffix matches from its back.
func (t *tree) cut(b []byte, label string) (rest []byte, ok bool) {
	n := len(b) - len(label)
	switch {
	case n < 0:
		return b, false
	case t.back:
		return b[:n], string(b[n:]) == label
	}
	return b[len(label):], string(b[:len(label)]) == label
}

func (t *tree) edge(b []byte) byte {
	if t.back {
		return b[len(b)-1]
	}
	return b[0]
}

// groupBy splits sorted keys into groups with the same byte at position at.
func groupBy(keys []key, at int) (groups [][]key) {
	for len(keys) > 0 {
		n := 1
		for n < len(keys) && keys[n].text[at] == keys[0].text[at] {
			n++
		}
		groups = append(groups, keys[:n])
		keys = keys[n:]
	}
	return groups
}

func commonPrefix(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

func reverse(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}
