package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"sluice/conf"
	"sluice/engine/acl"
)

// read loads a configuration and lets every room look at it, so that all
// problems are told at once. The Config is nil when conf found an error.
func read(source conf.Source) (*conf.Config, conf.Problems) {
	c, problems := conf.Parse(source)
	if c == nil {
		return nil, problems
	}
	problems = append(problems, conf.Unsupported(c)...)
	for _, f := range c.Frontends {
		_, found := acl.Compile(c, f)
		problems = append(problems, found...)
	}
	if _, err := identityOf(&c.Global); err != nil {
		problems.Errorf(c.Global.Pos, "%v", err)
	}
	slices.SortStableFunc(problems, func(a, b conf.Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line))
	})
	return c, problems
}

// readFile is read for a file.
func readFile(path string) (*conf.Config, conf.Problems, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration '%s' cannot be read: %w", path, pathless(err))
	}
	c, problems := read(conf.Source{Name: path, Data: text})
	return c, problems, nil
}

// refusal tells all problems on standard error and returns an error if one of
// them stops the start.
func refusal(name string, problems conf.Problems) error {
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, p)
	}
	if problems.Err() == nil {
		return nil
	}
	return fmt.Errorf("%s is not valid: %s", name, count(problems))
}

// count says how many errors and warnings there are, in words.
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

// pathless strips the path an error carries, for messages that name it already.
func pathless(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
