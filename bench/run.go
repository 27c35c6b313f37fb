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

// markdown is the name of the report's file in the directory of -out.
const markdown = "report.md"

// bench is one run of the command.
type bench struct {
	*options
	lab   *scenario.Lab
	began time.Time // start of the run; messages show the time since then
	notes []string  // missing programs and the like, for the report
}

func (o *options) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "sluice-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// nginx's workers may run as another user.
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

// scenarios runs all scenarios of the command. After each one it writes the report, so a later
// failure loses no results. If one scenario fails, the others still run.
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

// references returns the names of the peers with which the others are compared.
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

// write writes all files again with the results so far.
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

// writable checks that the result files can be written, before the long run begins.
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

// interrupted returns an error that names the results written before the interrupt.
func (b *bench) interrupted(parts []*report.Part) error {
	at := parts[len(parts)-1].Name
	if len(parts) == 1 {
		return fmt.Errorf("interrupted in %s: nothing written", at)
	}
	return fmt.Errorf("interrupted in %s: %s has what came before", at, b.jsonFile())
}

const uncounted = "no system calls counted"

// mayTrace tries strace on one of our processes. In containers, or if only root may use ptrace,
// strace is installed but cannot work.
func (b *bench) mayTrace(pid int, dir string) bool {
	err := measure.Traceable(pid, dir)
	if err != nil {
		b.note("%v: %s", err, uncounted)
	}
	return err == nil
}

// has reports whether a program is wanted and installed. If it is wanted and missing, has adds
// a note.
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

// say prints progress to standard error. The results go to standard output.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.1fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}
