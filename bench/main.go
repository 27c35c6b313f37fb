package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"sluice/bench/origin"
	"sluice/bench/scenario"
)

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	switch {
	case isHelp(err):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if err := o.main(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (o *options) main() error {
	if o.list {
		list()
		return nil
	}
	var err error
	if o.files, err = allFiles(); err != nil {
		return err
	}
	if o.origin {
		// A signal may be sent to the whole process group. The origin must ignore it: it ends
		// when its input ends.
		signal.Ignore(os.Interrupt, syscall.SIGTERM)
		return origin.Main(os.Stdin, os.Stdout)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return o.run(ctx)
}

// allFiles raises the limit of open files of this process to the highest value allowed, and
// returns it. Processes that are started later inherit the limit.
func allFiles() (uint64, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("limit of open files: %w", err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("limit of open files: %w", err)
	}
	return limit.Cur, nil
}

func list() {
	for _, s := range scenario.All {
		skipped := ""
		if s.Skip != "" {
			skipped = " (skipped: " + s.Skip + ")"
		}
		fmt.Printf("%-18s%s%s\n", s.Name, s.About, skipped)
	}
}
