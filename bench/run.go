package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sluice/bench/measure"
	"sluice/bench/origin"
	"sluice/bench/peer"
	"sluice/bench/report"
	"sluice/bench/result"
	"sluice/bench/scenario"
)

// markdown is the report's file in -out.
const markdown = "report.md"

// bench is one run of the command.
type bench struct {
	*options
	lab   *scenario.Lab
	began time.Time
	notes []string
}

func (o *options) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "sluice-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// nginx's workers may be of another user.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	b := &bench{options: o, began: time.Now()}
	if err := b.writable(); err != nil {
		return err
	}
	peers, err := b.find(dir)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	server, err := origin.Start(self, "-serve-origin")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	sink, err := scenario.NewSink()
	if err != nil {
		return err
	}
	defer sink.Close()
	b.lab = &scenario.Lab{
		Scale: o.scale(), Origin: server.Addrs, Sink: sink, Peers: peers, Dir: dir, Files: o.files,
		Strace: b.has(o.strace, "strace", uncounted) && b.mayTrace(server.PID(), dir),
		Wrk:    b.has(o.wrk && !o.quick, "wrk", "no figures of wrk"),
		Say:    b.say,
	}
	return b.scenarios(ctx)
}

// scenarios runs them all. The report has what is done, whatever comes later;
// one that fails does not keep the others from running.
func (b *bench) scenarios(ctx context.Context) (failed error) {
	found, _ := scenario.Find(b.options.scenarios)
	var parts []*report.Part
	refs := b.references()
	for _, s := range found {
		part := &report.Part{Name: s.Name, About: s.About}
		parts = append(parts, part)
		if s.Skip != "" {
			part.Skip = "skipped: " + s.Skip
		} else {
			err := b.scenario(ctx, s, part)
			if ctx.Err() != nil {
				return b.interrupted(parts)
			}
			if err != nil {
				part.Skip = fmt.Sprintf("failed: %v", err)
				failed = errors.Join(failed, err)
			}
		}
		if err := part.Terminal(os.Stdout, refs); err != nil {
			return err
		}
		if err := b.write(parts, refs); err != nil {
			return err
		}
	}
	b.say("written: %s, %s and plots beside it", b.jsonFile(), filepath.Join(b.out, markdown))
	return failed
}

func (b *bench) scenario(ctx context.Context, s scenario.Scenario, part *report.Part) error {
	results, headlines, err := b.lab.Run(ctx, s)
	part.Variants, part.Headlines = results, headlines
	return err
}

// references are whom proxies are compared with.
func (b *bench) references() report.References {
	var refs report.References
	for _, p := range b.lab.Peers {
		h, isHAProxy := p.(*peer.HAProxy)
		if p.Name() == peer.FloorName || isHAProxy && p.Name() != peer.SluiceName && !h.Map {
			refs = append(refs, p.Name())
		}
	}
	return refs
}

// write writes everything anew.
func (b *bench) write(parts []*report.Part, refs report.References) error {
	all := &result.Report{Machine: measure.Describe(), Scenarios: []*result.Variant{}}
	doc := &report.Document{
		Command: "go run ./bench " + strings.Join(os.Args[1:], " "),
		Machine: all.Machine, Notes: b.notes, Parts: parts, Refs: refs,
	}
	programs := map[string]string{}
	for _, p := range b.lab.Peers {
		doc.Peers = append(doc.Peers, [2]string{p.Name(), p.About()})
		programs[p.Name()] = p.About()
	}
	if err := os.MkdirAll(b.out, 0o755); err != nil {
		return err
	}
	for _, part := range parts {
		all.Scenarios = append(all.Scenarios, part.Variants...)
		if err := part.Plot(b.out); err != nil {
			return err
		}
	}
	if err := toFile(filepath.Join(b.out, markdown), doc.Markdown); err != nil {
		return err
	}
	all.Machine["peers"] = programs
	return toFile(b.jsonFile(), all.Write)
}

func (b *bench) jsonFile() string {
	if b.json != "" {
		return b.json
	}
	return filepath.Join(b.out, "bench.json")
}

// writable makes sure of where the results go, before hours are spent on them.
func (b *bench) writable() error {
	if err := os.MkdirAll(b.out, 0o755); err != nil {
		return fmt.Errorf("-out %s: %w", b.out, err)
	}
	for _, path := range []string{b.jsonFile(), filepath.Join(b.out, markdown)} {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return fmt.Errorf("a place for the results: %w", err)
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// interrupted says what an interrupt has left.
func (b *bench) interrupted(parts []*report.Part) error {
	at := parts[len(parts)-1].Name
	if len(parts) == 1 {
		return fmt.Errorf("interrupted in %s: nothing written", at)
	}
	return fmt.Errorf("interrupted in %s: %s has what came before", at, b.jsonFile())
}

const uncounted = "no system calls counted"

// mayTrace tries strace on a process of ours: in containers, and where ptrace
// is for root only, it is there and yet of no use.
func (b *bench) mayTrace(pid int, dir string) bool {
	err := measure.Traceable(pid, dir)
	if err != nil {
		b.note("%v: %s", err, uncounted)
	}
	return err == nil
}

// has says whether a program that is wanted is there, and notes its absence.
func (b *bench) has(wanted bool, program, without string) bool {
	if !wanted {
		return false
	}
	if _, err := exec.LookPath(program); err != nil {
		b.note("no %s here (apt-get install --no-install-recommends %s): %s", program, program, without)
		return false
	}
	return true
}

func (b *bench) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
	b.say(format, args...)
}

// say tells the progress, apart from what is the result.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.1fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}
