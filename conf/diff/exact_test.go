package diff

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/conf"
)

// dump returns a value as text without positions. Lists whose order has no meaning are sorted, so
// configurations are equal if and only if their texts are.
func dump(v reflect.Value, path string) string {
	switch {
	case v.Type() == reflect.TypeFor[conf.Pos]() || v.Type() == reflect.TypeFor[conf.Places]():
		return ""
	case isLeaf(v.Type()):
		return fmt.Sprintf("%q", fmt.Sprint(v.Interface()))
	case v.Kind() == reflect.Pointer && v.IsNil():
		return "nil"
	case v.Kind() == reflect.Pointer:
		return dump(v.Elem(), path)
	}
	var all []string
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			all = append(all, dump(v.Field(i), join(path, v.Type().Field(i))))
		}
		return "{" + strings.Join(all, " ") + "}"
	}
	for i := range v.Len() {
		all = append(all, dump(v.Index(i), path))
	}
	if _, free := find(unordered, path); free {
		slices.Sort(all)
	}
	return "[" + strings.Join(all, " ") + "]"
}

// configurations are some texts: the sample, and the examples of the repository.
func configurations(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("../../examples/*.cfg")
	if err != nil || len(paths) < 3 {
		t.Fatal(paths, err)
	}
	all := map[string]string{"sample": strings.NewReplacer("PAGE", "/dev/null", "ANON", "src 10.0.0.2").Replace(sample), "base": base}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = string(text)
	}
	return all
}

// TestExactly removes each line, and swaps each two lines in a row: a change is told if and only if
// the configurations differ.
func TestExactly(t *testing.T) {
	told, silent := 0, 0
	for name, text := range configurations(t) {
		was := parse(t, "was.cfg", text)
		wasText := dump(reflect.ValueOf(was), "")
		lines := strings.SplitAfter(text, "\n")
		for i := range lines {
			without := slices.Delete(slices.Clone(lines), i, i+1)
			swapped := slices.Clone(lines)
			swapped[i], swapped[max(i-1, 0)] = swapped[max(i-1, 0)], swapped[i]
			for _, edited := range [][]string{without, swapped} {
				is, _ := conf.ParseString("is.cfg", strings.Join(edited, ""))
				if is == nil {
					continue
				}
				there, back := Between(was, is), Between(is, was)
				if same := dump(reflect.ValueOf(is), "") == wasText; same != (there == nil) || same != (back == nil) {
					t.Errorf("%s:%d: %q: alike: %v, told %v, and back %v", name, i+1, lines[i], same, there, back)
				}
				if there == nil {
					silent++
				} else {
					told++
				}
			}
		}
	}
	t.Logf("%d configurations with changes, %d without", told, silent)
	if told < 300 || silent < 100 {
		t.Error("wanted more of each")
	}
}

// TestAlign: each line of both lists is in one pair, pairs that did not move rise on both sides, and
// equal lines are removed and added only where their numbers differ.
func TestAlign(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lists := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g"}), 0, 12)
		was, is := lists.Draw(t, "was"), lists.Draw(t, "is")
		seenWas, seenIs := make([]bool, len(was)), make([]bool, len(is))
		lastWas, lastIs := none, none
		surplus := map[string]int{}
		for _, p := range align(was, is) {
			if p.was != none {
				if seenWas[p.was] {
					t.Fatalf("%v: before twice", p)
				}
				seenWas[p.was] = true
				surplus[was[p.was]]++
			}
			if p.is != none {
				if seenIs[p.is] {
					t.Fatalf("%v: after twice", p)
				}
				seenIs[p.is] = true
				surplus[is[p.is]]--
			}
			if p.moved && was[p.was] != is[p.is] {
				t.Fatalf("%v moved and is another", p)
			}
			if p.moved || p.was == none || p.is == none {
				continue
			}
			if p.was <= lastWas || p.is <= lastIs {
				t.Fatalf("%v does not rise", p)
			}
			lastWas, lastIs = p.was, p.is
		}
		if slices.Contains(seenWas, false) || slices.Contains(seenIs, false) {
			t.Fatalf("not all lines: %v %v", seenWas, seenIs)
		}
		lonely := map[string]int{} // removed or changed minus added, by line
		for _, p := range align(was, is) {
			if p.was != none && (p.is == none || was[p.was] != is[p.is]) {
				lonely[was[p.was]]++
			}
			if p.is != none && (p.was == none || was[p.was] != is[p.is]) {
				if lonely[is[p.is]]--; surplus[is[p.is]] > 0 {
					t.Fatalf("%s was there more often, and is added", is[p.is])
				}
			}
		}
		for line, n := range surplus {
			if lonely[line] != n {
				t.Fatalf("%s: %d are too many, %d are told", line, n, lonely[line])
			}
		}
	})
}

// TestAlignEqualLines: of equal lines, those at the start and at the end stay in place.
func TestAlignEqualLines(t *testing.T) {
	for _, c := range []struct {
		was, is string
		want    []pair
	}{
		{"a b a", "b a", []pair{{was: 0, is: none}, {was: 1, is: 0}, {was: 2, is: 1}}},
		{"a b a", "a b", []pair{{was: 0, is: 0}, {was: 1, is: 1}, {was: 2, is: none}}},
		{"a a", "a b a", []pair{{was: 0, is: 0}, {was: none, is: 1}, {was: 1, is: 2}}},
	} {
		if got := align(strings.Fields(c.was), strings.Fields(c.is)); !slices.Equal(got, c.want) {
			t.Errorf("%s to %s: %v, wanted %v", c.was, c.is, got, c.want)
		}
	}
}

// TestRising compares the length with that of all subsequences.
func TestRising(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7}).Draw(t, "values")
		values[rapid.IntRange(0, 7).Draw(t, "hole")] = none
		longest := make([]int, len(values))
		best := 0
		for i, v := range values {
			if v == none {
				continue
			}
			longest[i] = 1
			for j := range i {
				if values[j] != none && values[j] < v {
					longest[i] = max(longest[i], longest[j]+1)
				}
			}
			best = max(best, longest[i])
		}
		found := rising(values)
		for n, i := range found {
			if values[i] == none || n > 0 && (found[n-1] >= i || values[found[n-1]] >= values[i]) {
				t.Fatalf("%v of %v do not rise", found, values)
			}
		}
		if len(found) != best {
			t.Fatalf("%v of %v, wanted %d", found, values, best)
		}
	})
}
