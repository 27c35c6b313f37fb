package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"sluice/bench/scenario"
)

// options are the command's flags, and values that are computed from them.
type options struct {
	scenarios string
	peers     string
	haproxy   string
	also      []string
	bin       string
	rounds    int
	each      time.Duration // duration of one round
	quick     bool
	strace    bool
	wrk       bool
	json      string
	out       string
	list      bool
	origin    bool
	files     uint64 // limit of open files per process
}

func parse(args []string, usage io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(usage)
	f.StringVar(&o.scenarios, "scenario", "all", "`names` separated by commas; see -list")
	f.StringVar(&o.peers, "peers", "haproxy,nginx", "`names` separated by commas: haproxy, nginx, floor; or none")
	f.StringVar(&o.haproxy, "haproxy", "", "`path` of one more build of HAProxy")
	f.Func("also", "`NAME=PATH [VARIABLE=VALUE ...] [; line of global]` of one more build of Sluice; may be repeated", func(s string) error {
		o.also = append(o.also, s)
		return nil
	})
	f.StringVar(&o.bin, "bin", "", "`path` of the Sluice to measure (default: build ./cmd/sluice)")
	f.IntVar(&o.rounds, "rounds", 0, "rounds for each proxy (default 5; 3 with -quick)")
	f.DurationVar(&o.each, "for", 0, "`time` of one round (default 3s; 500ms with -quick)")
	f.BoolVar(&o.quick, "quick", false, "fewer variants and smaller amounts: under four minutes")
	f.BoolVar(&o.strace, "strace", true, "count system calls, in a round that is not timed")
	f.BoolVar(&o.wrk, "wrk", true, "measure with wrk too, if installed; not with -quick")
	f.StringVar(&o.json, "json", "", "`file` for the results (default: bench.json in -out)")
	f.StringVar(&o.out, "out", "bench/out", "`directory` for report and plots")
	f.BoolVar(&o.list, "list", false, "list the scenarios and exit")
	f.BoolVar(&o.origin, "serve-origin", false, "internal: run as the origin server of another bench process")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("'%s', wanted flags only", f.Arg(0))
	}
	// The flags are 0 if not given, and 0 then means the default. So refuse a 0 that was given.
	var zero error
	f.Visit(func(f *flag.Flag) {
		if value := f.Value.String(); f.Name == "rounds" && value == "0" || f.Name == "for" && value == "0s" {
			zero = fmt.Errorf("-%s %s, wanted more", f.Name, value)
		}
	})
	return o, errors.Join(zero, o.complete())
}

// complete sets the defaults that depend on other flags, and checks the remaining flags.
func (o *options) complete() error {
	rounds, each := 5, 3*time.Second
	if o.quick {
		rounds, each = 3, time.Second/2
	}
	if o.rounds == 0 {
		o.rounds = rounds
	}
	if o.each == 0 {
		o.each = each
	}
	if o.rounds < 0 || o.each < 0 {
		return fmt.Errorf("-rounds %d and -for %v, wanted both above 0", o.rounds, o.each)
	}
	if _, unknown := scenario.Find(o.scenarios); unknown != "" {
		return fmt.Errorf("-scenario '%s', wanted one of -list", unknown)
	}
	for name := range o.wanted() {
		switch name {
		case "haproxy", "nginx", "floor", "none":
		default:
			return fmt.Errorf("-peers '%s', wanted haproxy, nginx, floor or none", name)
		}
	}
	return nil
}

// wanted returns the names in -peers. It adds the floor, the lower limit for comparison, unless
// -peers is none.
func (o *options) wanted() map[string]bool {
	names := map[string]bool{}
	for name := range strings.SplitSeq(o.peers, ",") {
		names[name] = true
	}
	if !names["none"] {
		names["floor"] = true
	}
	return names
}

func (o *options) scale() scenario.Scale {
	return scenario.Scale{Quick: o.quick, Rounds: o.rounds, For: o.each}
}

// isHelp reports whether the command was only called for help.
func isHelp(err error) bool { return errors.Is(err, flag.ErrHelp) }
