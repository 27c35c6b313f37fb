package diff

import (
	"cmp"
	"hash/maphash"
	"net/netip"
	"slices"

	"sluice/conf"
)

// View is a configuration with the values that it took from outside of its text when it was
// compiled.
type View struct {
	Conf  *conf.Config
	Files map[string]Patterns   // pattern files, by the paths as they are written
	Names map[string]netip.Addr // addresses of host names
}

// Patterns are the patterns of a file without their order, as sorted hashes. A hash needs 8 bytes,
// so that each configuration in use can keep those of long files.
type Patterns []uint64

var seed = maphash.MakeSeed()

// PatternsOf returns the set of these patterns.
func PatternsOf(patterns []string) Patterns {
	p := make(Patterns, 0, len(patterns))
	for _, text := range patterns {
		p = append(p, maphash.String(seed, text))
	}
	slices.Sort(p)
	return slices.Compact(p)
}

// without returns the number of patterns of p that other does not have.
func (p Patterns) without(other Patterns) (n int) {
	for _, one := range p {
		i, _ := slices.BinarySearch(other, one)
		if other = other[i:]; len(other) == 0 || other[0] != one {
			n++
		}
	}
	return n
}

// BetweenViews returns the changes of Between, then those of pattern files that both configurations
// have, then those of the addresses of host names. A pattern file whose comments, blank lines or
// order differ has not changed, because its rules have not.
func BetweenViews(was, is View) []Change {
	return slices.Concat(Between(was.Conf, is.Conf), patternFiles(was.Files, is.Files), addresses(was, is))
}

func patternFiles(was, is map[string]Patterns) (changes []Change) {
	for path, after := range is {
		before, both := was[path]
		if !both || slices.Equal(before, after) {
			continue
		}
		changes = append(changes, Change{
			Kind: PatternFile, Verb: Changed, Item: "pattern file " + path, Was: path, Is: path,
			Lost: before.without(after), Gained: after.without(before),
		})
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Item, b.Item) })
	return changes
}

// addresses returns the changes of the addresses of host names that the same item has in both
// configurations.
func addresses(was, is View) (changes []Change) {
	before := map[named]bool{}
	for _, n := range namesIn(was.Conf) {
		before[n] = true
	}
	for _, n := range namesIn(is.Conf) {
		from, to := was.Names[n.host], is.Names[n.host]
		if before[n] && from.IsValid() && to.IsValid() && from != to {
			changes = append(changes, Change{
				Kind: Resolved, Verb: Changed, Section: n.section, Item: n.item, Param: n.host, Was: from.String(), Is: to.String(),
			})
		}
	}
	return changes
}

// named is an item whose address has a host name.
type named struct{ section, item, host string }

// namesIn returns the servers and bind lines whose addresses have host names.
func namesIn(c *conf.Config) (all []named) {
	add := func(section, item string, a conf.Address) {
		if a.Net == conf.NetTCP && a.Host != "" && !a.IP.IsValid() {
			all = append(all, named{section, item, a.Host})
		}
	}
	for _, f := range c.Frontends {
		section := title("frontend", f.Name, f.Listen)
		for _, b := range f.Binds {
			add(section, "bind "+b.Address.String(), b.Address)
		}
	}
	for _, b := range c.Backends {
		section := title("backend", b.Name, b.Listen)
		for _, s := range b.Servers {
			add(section, "server "+s.Name, s.Address)
		}
	}
	return all
}
