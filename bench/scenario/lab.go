package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"sluice/bench/origin"
	"sluice/bench/peer"
	"sluice/bench/result"
)

// Lab contains everything that scenarios need to run. The goroutine that calls Run owns it.
type Lab struct {
	Scale
	Origin origin.Addrs // addresses of the origin server
	Sink   *Sink        // receiver of log lines
	Peers  []peer.Peer
	Dir    string                           // directory for configurations
	Files  uint64                           // limit of open files per process
	Strace bool                             // count system calls
	Wrk    bool                             // also measure with wrk
	Say    func(format string, args ...any) // prints progress
}

// Run runs a scenario. It returns the results and the names of the headline metrics, one entry
// per variant each. It returns an error soon after the context is done.
func (l *Lab) Run(ctx context.Context, s Scenario) (all []*result.Variant, headlines []string, err error) {
	var runs []*run
	defer func() {
		for _, r := range runs {
			for _, t := range r.targets {
				err = errors.Join(err, t.Stop())
			}
		}
	}()
	for _, v := range s.Variants(l.Scale) {
		r := &run{Variant: v, result: &result.Variant{Name: s.Name, Params: v.Params}}
		runs, all, headlines = append(runs, r), append(all, r.result), append(headlines, v.Headline)
		if err := l.begin(r); err != nil {
			return nil, nil, fmt.Errorf("%s %s: %w", s.Name, Words(v.Params), err)
		}
	}
	for round := range l.Rounds {
		for _, r := range runs {
			if r.Once && round > 0 {
				continue
			}
			if err := l.round(ctx, r, round); err != nil {
				return nil, nil, fmt.Errorf("%s %s: %w", s.Name, Words(r.Params), err)
			}
		}
	}
	for _, r := range runs {
		if err := l.after(r); err != nil {
			return nil, nil, fmt.Errorf("%s %s: %w", s.Name, Words(r.Params), err)
		}
	}
	return all, headlines, nil
}

// begin starts and checks the variant's proxies.
func (l *Lab) begin(r *run) error {
	if need := r.Site.Files(); need > l.Files {
		return fmt.Errorf("a proxy needs %d open files here and may have %d (ulimit -Hn %d)", need, l.Files, need)
	}
	for _, p := range l.Peers {
		if r.Wants != nil && !r.Wants(p) {
			continue
		}
		t := &Target{Running: &peer.Running{Peer: p}, Sink: l.Sink}
		if !r.Fresh {
			if err := l.start(r, t); err != nil {
				return err
			}
		}
		r.targets = append(r.targets, t)
	}
	if r.Prepare == nil {
		return nil
	}
	return r.Prepare(l, r.targets)
}

// start starts the proxy of a target and checks its answers.
func (l *Lab) start(r *run, t *Target) error {
	running, err := peer.Start(t.Peer, l.site(r), l.Dir)
	if err != nil {
		return err
	}
	t.Running = running
	if err := r.Work.Check(t); err != nil {
		return errors.Join(fmt.Errorf("%s does not answer correctly: %w", t.Name(), err), t.Stop())
	}
	return nil
}

// site returns the variant's site with the addresses of the origin and of the log.
func (l *Lab) site(r *run) peer.Site {
	s := r.Site
	switch w := r.Work.(type) {
	case *moving:
		s.Servers = [2]netip.AddrPort{l.Origin.Bulk, l.Origin.Bulk}
	case *asking:
		s.Servers = l.Origin.HTTP
		if w.kind == hello {
			s.Servers = l.Origin.TLS
		}
	case *reloading:
		s.Servers, s.Reloads = l.Origin.HTTP, &peer.Reloads{Origin: l.Origin.Bulk}
	default:
		s.Servers = l.Origin.HTTP
	}
	if r.Logged {
		s.Log = l.Sink.Addr()
	}
	return s
}

// round makes one round: each proxy does the work once.
func (l *Lab) round(ctx context.Context, r *run, round int) error {
	for _, t := range r.targets {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.Fresh {
			if err := l.start(r, t); err != nil {
				return err
			}
		}
		t.Interrupted = ctx.Done()
		figures, err := l.work(r, t, l.For)
		if r.Fresh {
			err = errors.Join(err, t.Stop())
			t.Running = &peer.Running{Peer: t.Peer}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name(), err)
		}
		r.result.Proxy(t.Name()).Add(figures)
		l.Say("%s %s, round %d of %d: %s %s", r.result.Name, Words(r.Params), round+1, l.rounds(r), t.Name(), shown(figures, r.Headline))
	}
	addedToDirect(r.result, round)
	return nil
}

// rounds returns the number of rounds of a variant.
func (l *Lab) rounds(r *run) int {
	if r.Once {
		return 1
	}
	return l.Rounds
}

func (l *Lab) work(r *run, t *Target, d time.Duration) (map[string]float64, error) {
	m := &Meter{pids: t.PIDs()}
	done, err := r.Work.Do(t, m, d)
	if err = errors.Join(err, m.err); err != nil {
		return nil, err
	}
	for _, note := range done.Notes {
		l.Say("%s %s: %s: %s", r.result.Name, Words(r.Params), t.Name(), note)
	}
	return m.figures(r.Work.Unit(), done), nil
}

// addedToDirect adds a metric to each proxy's result: the proxy's latency minus the latency of a
// direct connection in the same round.
func addedToDirect(v *result.Variant, round int) {
	direct := v.Find(peer.DirectName)
	if direct == nil {
		return
	}
	for _, p := range v.Proxies {
		added := map[string]float64{}
		for name := range latencies {
			if m, d := p.Metrics[name], direct.Metrics[name]; p != direct && m != nil && d != nil {
				added["added_"+name] = m.Runs[round] - d.Runs[round]
			}
		}
		p.Add(added)
	}
}

// shown returns the headline metric of a round as text.
func shown(figures map[string]float64, headline string) string {
	if value, ok := figures[headline]; ok {
		return fmt.Sprintf("%.4g %s", value, headline)
	}
	return ""
}
