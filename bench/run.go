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
		Scale: o.scale(), Origin: server.Addrs, Sink: sink, Peers: peers, Dir: dir,
		Strace: b.has(o.strace, "strace", "no system calls counted"), Wrk: b.has(o.wrk && !o.quick, "wrk", "no figures of wrk"),
		Say: b.say,
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
				return errors.Join(err, ctx.Err())
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
	b.say("written: %s, %s and plots beside it", b.jsonFile(), filepath.Join(b.out, "report.md"))
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
	all := &result.Report{Machine: measure.Describe()}
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
	if err := toFile(filepath.Join(b.out, "report.md"), doc.Markdown); err != nil {
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
