package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sluice/conf"
	"sluice/engine/site"
)

// The names of standard input on the command line. As with files, the ending
// names the notation.
const (
	stdinCfg  = "-"
	stdinTOML = "-.toml"
)

// configFiles are the files of one configuration, in the order in which they
// are read. As with HAProxy, several files are one configuration.
type configFiles struct {
	paths []string
	stdin []byte // content of standard input; a daemon's child reads it again
}

// flag adds the -f that every sub-command with a configuration has.
func (f *configFiles) flag(c *cobra.Command) {
	c.Flags().StringArrayVarP(&f.paths, "file", "f", nil,
		"configuration `FILE`: TOML if its name ends in .toml, else haproxy.cfg; - is a haproxy.cfg on standard input, -.toml is TOML there; may be repeated")
}

// required is flag for commands that do nothing without a configuration.
func (f *configFiles) required(c *cobra.Command) {
	f.flag(c)
	if err := c.MarkFlagRequired("file"); err != nil {
		panic(err) // the flag was added one line above
	}
}

// String names the files in one message.
func (f *configFiles) String() string {
	var names []string
	for _, path := range f.paths {
		names = append(names, nameOf(path))
	}
	return strings.Join(names, ", ")
}

// nameOf returns the name of a file in messages.
func nameOf(path string) string {
	if path == stdinCfg || path == stdinTOML {
		return "stdin" + strings.TrimPrefix(path, "-")
	}
	return path
}

// read loads, checks and compiles the files, as the function read does.
func (f *configFiles) read(out site.Outside, change func(*conf.Config)) (*site.Site, conf.Problems, error) {
	sources, err := f.open(readOnce)
	if err != nil {
		return nil, nil, err
	}
	s, problems := read(out, change, sources...)
	return s, problems, nil
}

// open brings the files into memory. read is readOnce, or conf.Disk.ReadFile for regular files only.
func (f *configFiles) open(read func(path string) ([]byte, error)) (sources []conf.Source, err error) {
	for _, path := range f.paths {
		text, err := f.text(read, path)
		if err != nil {
			return nil, fmt.Errorf("configuration '%s' cannot be read: %w", nameOf(path), pathless(err))
		}
		sources = append(sources, conf.Source{Name: nameOf(path), Data: text})
	}
	return sources, nil
}

func (f *configFiles) text(read func(path string) ([]byte, error), path string) ([]byte, error) {
	if path != stdinCfg && path != stdinTOML {
		return read(path)
	}
	if f.stdin != nil {
		return nil, errors.New("standard input was read already, wanted it once")
	}
	text, err := conf.ReadText(os.Stdin)
	f.stdin = text
	return text, err
}

// readOnce reads a file that may be a pipe, as the shell makes it of `-f <(generate)`.
func readOnce(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return conf.ReadText(f)
}
