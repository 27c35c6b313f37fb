package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"

	"sluice/conf"
	"sluice/engine"
	"sluice/engine/site"
	"sluice/engine/sock"
)

// read loads a configuration, has all packages check it, and compiles it. All
// problems are told at once. change, if not nil, changes the configuration before
// it is compiled. The site is nil when there is an error.
func read(out site.Outside, change func(*conf.Config), sources ...conf.Source) (*site.Site, conf.Problems) {
	c, problems := conf.Draft(out.Files, sources...)
	broken := problems.Err() != nil
	if change != nil {
		change(c)
	}
	compiled, found := engine.Compile(c, out)
	add(&problems, found)
	if !out.Checked {
		checkRights(&c.Global, &problems)
	}
	if !broken && !listens(c) {
		problems.Errorf(conf.Pos{File: sources[len(sources)-1].Name}, "nothing to listen on, wanted a frontend with 'bind', or a stats socket")
	}
	place := func(p conf.Problem) int {
		return slices.IndexFunc(sources, func(s conf.Source) bool { return s.Name == p.Pos.File })
	}
	slices.SortStableFunc(problems, func(a, b conf.Problem) int {
		return cmp.Or(place(a)-place(b), a.Pos.Line-b.Pos.Line)
	})
	if problems.Err() != nil {
		return nil, problems
	}
	return compiled, problems
}

// checkRights finds errors in the directives about the user and root directory of the process.
func checkRights(g *conf.Global, problems *conf.Problems) {
	if _, err := jailExists(g.Chroot); err != nil {
		problems.Errorf(g.Place("chroot"), "%v", err)
	}
	_, found := identityOf(g)
	*problems = append(*problems, found...)
}

// add adds new problems among those found. In a broken configuration a
// warning, or a problem in a line with an error, may only follow from a line
// that could not be read.
func add(problems *conf.Problems, found conf.Problems) {
	known := *problems
	broken := known.Err() != nil
	for _, p := range found {
		follows := p.Severity == conf.Warning || slices.ContainsFunc(known, func(k conf.Problem) bool {
			return k.Severity == conf.Error && k.Pos == p.Pos
		})
		if broken && follows || slices.Contains(known, p) {
			continue
		}
		*problems = append(*problems, p)
	}
}

// thisMachine returns the files and the resolver of this machine.
func thisMachine() site.Outside { return site.Outside{LookUp: sock.LookUp, Files: conf.Disk{}} }

// noLookUp takes every host name for known.
func noLookUp(string) (netip.Addr, error) { return netip.IPv4Unspecified(), nil }

// listens reports whether anybody could connect to the process.
func listens(c *conf.Config) bool {
	return len(c.Global.StatsSockets) > 0 ||
		slices.ContainsFunc(c.Frontends, func(f *conf.Frontend) bool { return len(f.Binds) > 0 })
}

// refusal prints all problems on standard error, and returns an error if one of
// them prevents the start.
func refusal(name string, problems conf.Problems) error {
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, p)
	}
	if problems.Err() == nil {
		return nil
	}
	return fmt.Errorf("%s is not valid: %s", name, count(problems))
}

// count returns the numbers of errors and warnings as text.
func count(problems conf.Problems) string {
	var n [2]int
	for _, p := range problems {
		n[p.Severity]++
	}
	return plural(n[conf.Error], "error") + ", " + plural(n[conf.Warning], "warning")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// pathless removes the path from an error, for messages that already name it.
func pathless(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
