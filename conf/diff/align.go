package diff

import "slices"

// none is the index of a line that is not there.
const none = -1

// pair is the place of a line before and after, from 0. One of both may be none. The lines of a
// pair are equal, unless the line was changed in place.
type pair struct {
	was, is int
	moved   bool // the order to other lines is different
}

// align pairs the lines of two lists. As many equal lines as possible stay in place. Equal lines
// that do not fit into their order are moved. The other lines between two lines in place are
// paired in order: these are changed, and what is left was removed or added. The time is n log n.
func align(was, is []string) []pair {
	start := prefix(was, is)
	end := suffix(was[start:], is[start:])
	a := aligner{twins: twins(was[start:len(was)-end], is[start:len(is)-end])}
	a.fresh = fresh(a.twins, len(is)-end-start)
	for i := range start {
		a.pairs = append(a.pairs, pair{was: i, is: i})
	}
	a.middle(start)
	for i := end; i > 0; i-- {
		a.pairs = append(a.pairs, pair{was: len(was) - i, is: len(is) - i})
	}
	return a.pairs
}

// prefix returns the number of equal lines at the start.
func prefix(was, is []string) int {
	n := 0
	for n < min(len(was), len(is)) && was[n] == is[n] {
		n++
	}
	return n
}

// suffix returns the number of equal lines at the end.
func suffix(was, is []string) int {
	n := 0
	for n < min(len(was), len(is)) && was[len(was)-1-n] == is[len(is)-1-n] {
		n++
	}
	return n
}

// twins returns for each line before the place of an equal line after, or none. No place occurs
// twice.
func twins(was, is []string) []int {
	places := make(map[string][]int)
	for i, line := range is {
		places[line] = append(places[line], i)
	}
	found := make([]int, len(was))
	for i, line := range was {
		found[i] = none
		if at := places[line]; len(at) > 0 {
			found[i], places[line] = at[0], at[1:]
		}
	}
	return found
}

// fresh reports for each of the n lines after whether it has no twin.
func fresh(twins []int, n int) []bool {
	all := slices.Repeat([]bool{true}, n)
	for _, i := range twins {
		if i != none {
			all[i] = false
		}
	}
	return all
}

// aligner collects the pairs of the lines between the equal start and the equal end of the lists.
type aligner struct {
	twins []int
	fresh []bool
	pairs []pair
}

// middle adds the pairs. offset is the place of the first line.
func (a *aligner) middle(offset int) {
	first := len(a.pairs)
	was, is := 0, 0
	for _, kept := range rising(a.twins) {
		a.gap(was, kept, is, a.twins[kept])
		a.pairs = append(a.pairs, pair{was: kept, is: a.twins[kept]})
		was, is = kept+1, a.twins[kept]+1
	}
	a.gap(was, len(a.twins), is, len(a.fresh))
	for i := range a.pairs[first:] {
		p := &a.pairs[first+i]
		if p.was != none {
			p.was += offset
		}
		if p.is != none {
			p.is += offset
		}
	}
}

// gap adds the pairs of the lines between two lines in place.
func (a *aligner) gap(was, wasEnd, is, isEnd int) {
	for ; was < wasEnd; was++ {
		if twin := a.twins[was]; twin != none {
			a.pairs = append(a.pairs, pair{was, twin, true})
			continue
		}
		for is < isEnd && !a.fresh[is] {
			is++
		}
		if is == isEnd {
			a.pairs = append(a.pairs, pair{was: was, is: none})
			continue
		}
		a.pairs = append(a.pairs, pair{was: was, is: is})
		is++
	}
	for ; is < isEnd; is++ {
		if a.fresh[is] {
			a.pairs = append(a.pairs, pair{was: none, is: is})
		}
	}
}

// rising returns the places of a longest subsequence whose values rise. It skips none.
func rising(values []int) []int {
	var ends []int // ends[n] is the place of the lowest value with which n+1 values can end
	before := make([]int, len(values))
	for i, v := range values {
		if v == none {
			continue
		}
		n, _ := slices.BinarySearchFunc(ends, v, func(end, v int) int { return values[end] - v })
		before[i] = none
		if n > 0 {
			before[i] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, i)
		}
		ends[n] = i
	}
	all := slices.Clone(ends)
	for n := len(all) - 1; n > 0; n-- {
		all[n-1] = before[all[n]]
	}
	return all
}
