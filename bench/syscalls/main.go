package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// options are the command's flags.
type options struct {
	bin     string
	build   bool
	conns   int
	clients int
	most    float64
	keep    string
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin/sluice", "`path` of the balancer")
	flag.BoolVar(&o.build, "build", true, "first build the balancer from ./cmd/sluice")
	flag.IntVar(&o.conns, "n", 2000, "`number` of connections")
	flag.IntVar(&o.clients, "c", 64, "number of clients at the same time")
	flag.Float64Var(&o.most, "most", 14, "fail above this many calls per connection")
	flag.StringVar(&o.keep, "trace", "", "`file` for the output of strace (default: not kept)")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "syscalls:", err)
		os.Exit(1)
	}
}

func (o *options) run() error {
	if o.build {
		build := exec.Command("go", "build", "-trimpath", "-o", o.bin, "./cmd/sluice")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stdout, build.Stderr = os.Stdout, os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build %s: %w", o.bin, err)
		}
	}
	dir, err := os.MkdirTemp("", "syscalls")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if o.keep == "" {
		o.keep = filepath.Join(dir, "trace")
	}
	counted, err := o.measure(dir)
	if err != nil {
		return err
	}
	counted.print(os.Stdout)
	if total := counted.perConn(); total > o.most {
		return fmt.Errorf("%.2f system calls per connection; want at most %g", total, o.most)
	}
	return nil
}

// measure counts the calls of the balancer under strace while it serves the connections.
func (o *options) measure(dir string) (*tally, error) {
	site, err := newOrigin()
	if err != nil {
		return nil, err
	}
	defer site.Close()
	b, err := startBalancer(o.bin, dir, site.Addr())
	if err != nil {
		return nil, err
	}
	defer b.stop()
	if err := load(b.addr, o.clients, 4*o.clients); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	s, err := attach(b.process.Process.Pid, o.keep)
	if err != nil {
		return nil, err
	}
	err = load(b.addr, o.clients, o.conns)
	if ended := s.detach(); err == nil {
		err = ended
	}
	if err != nil {
		return nil, err
	}
	trace, err := os.Open(o.keep)
	if err != nil {
		return nil, err
	}
	defer trace.Close()
	return count(trace, o.conns)
}
