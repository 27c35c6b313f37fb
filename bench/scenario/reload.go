package scenario

import (
	"errors"
	"fmt"
	"time"

	"sluice/bench/load"
	"sluice/bench/origin"
	"sluice/bench/peer"
)

// reloadShape is the size of a variant of reload.
type reloadShape struct {
	rules, backends, reloads int
	spread                   bool // see reloading
}

// reload returns variants with few and with many rules, one in which each configuration keeps some
// connections, and one with many backends, too.
func reload(s Scale) []*Variant {
	shapes := []reloadShape{{2, 2, 100, false}, {10000, 2, 100, false}, {10000, 2, 40, true}, {10000, 2000, 20, false}}
	work := reloading{slot: min(time.Second, s.For), broken: 10, rate: 2000, tunnels: 200, bytes: 1 << 30}
	if s.Quick {
		shapes = []reloadShape{{2, 2, 5, false}, {10000, 2000, 5, false}}
		work.broken, work.bytes = 5, 64<<20
	}
	var all []*Variant
	for _, shape := range shapes {
		own := work
		own.count, own.spread = shape.reloads, shape.spread
		opened := "before"
		if shape.spread {
			opened = "between"
		}
		all = append(all, &Variant{
			Params: map[string]any{
				"rules": shape.rules, "backends": shape.backends, "reloads": shape.reloads, "tunnels": opened,
			},
			Headline: "reload_ms", Wants: canReload, Fresh: true, Once: true, Untraced: true,
			Site: peer.Site{Route: peer.Host, Rules: shape.rules, Backends: shape.backends, MaxConn: fewConns},
			Work: &own,
		})
	}
	return all
}

// canReload selects the plain HAProxy and Sluice.
func canReload(p peer.Peer) bool {
	_, ok := p.(*peer.HAProxy)
	return ok && plain(p)
}

// reloading is the Work of replacing the configuration under load. Time is divided into slots.
// Every second slot begins with a reload, and the slots between serve for comparison.
type reloading struct {
	count   int           // reloads
	broken  int           // every broken-th reload is of a file with an error
	slot    time.Duration // length of a slot
	rate    float64       // new connections per second
	tunnels int           // connections that stay open during all reloads
	bytes   int64         // length of a download that lasts as long as all reloads
	// spread opens an equal share of the tunnels after each reload, instead of all before the first
	// one. So each configuration has connections that outlive it.
	spread bool
}

const (
	// newClients is the highest number of simultaneous connections of reloading, without tunnels.
	newClients = 512
	// keptClients and keptRate describe the clients of frontend web: clients and requests per second.
	keptClients, keptRate = 32, 500
	// askedNames is the number of host names that new connections use. Their rules are the first
	// ones, so HAProxy, which tries rules one by one, does not spend its time on rules.
	askedNames = 64
)

// Unit returns "conn".
func (*reloading) Unit() string { return "conn" }

// Check makes one exchange of each kind, and a short load.
func (w *reloading) Check(t *Target) error {
	plan, err := w.plan(t, 200*time.Millisecond)
	if err != nil {
		return err
	}
	if _, err := load.Run(plan); err != nil {
		return err
	}
	kept := w.keep(t)
	if _, err := w.download(t, 1<<20, 0).Run(true); err != nil {
		return errors.Join(err, kept.Stop().Failures.Cause)
	}
	return kept.Stop().Failures.Cause
}

func (w *reloading) plan(t *Target, d time.Duration) (load.Plan, error) {
	few := *t.Running
	few.Site.Rules = min(few.Site.Rules, askedNames)
	all, err := exchanges(short, &few)
	return load.Plan{Addr: t.Addr, Exchanges: all, Clients: newClients, Rate: w.rate, For: d}, err
}

func (w *reloading) keep(t *Target) *load.Kept {
	request := []byte("GET / HTTP/1.1\r\nHost: web.site.test\r\n\r\n")
	return load.Keep(t.Site.Reloads.Web, request, origin.Body(0), keptClients, keptRate)
}

func (w *reloading) download(t *Target, size int64, over time.Duration) load.Transfer {
	return load.Transfer{Addr: t.Site.Reloads.Bulk, Host: peer.Name(0), Streams: 1, Down: size, Over: over}
}

// Do opens the tunnels, makes the load once without reloads, so that the memory of the load is
// not counted as growth, and then once with them.
func (w *reloading) Do(t *Target, m *Meter, _ time.Duration) (done *Done, err error) {
	m.pids = nil // the processes change during the work
	log := &reloadLog{slot: w.slot}
	defer func() { err = errors.Join(err, log.tunnels.close()) }()
	first := w.tunnels
	if w.spread {
		first = w.tunnels / w.count
	}
	if err := log.tunnels.open(t, first); err != nil {
		return nil, err
	}
	if err := w.warm(t); err != nil {
		return nil, fmt.Errorf("before the reloads: %w", err)
	}
	log.before = calm(t)
	seen, err := w.replace(t, m, log)
	if err != nil {
		return nil, err
	}
	seen.tunnels = log.tunnels.again()
	log.after = calm(t)
	return &Done{Units: float64(seen.fresh.Done), Elapsed: seen.fresh.Elapsed, Extra: log.figures(seen), Notes: log.notes(seen)}, nil
}

// replace makes the load and the reloads. It starts the meter with the load.
func (w *reloading) replace(t *Target, m *Meter, log *reloadLog) (traffic, error) {
	began := make(chan time.Time, 1)
	reloaded := make(chan error, 1)
	go func() {
		var err error
		if start, ok := <-began; ok {
			err = w.reloads(t, log, start)
		}
		reloaded <- err
	}()
	seen, err := w.traffic(t, time.Duration(2*w.count+1)*w.slot, func() { m.Start(); began <- time.Now() })
	m.Stop()
	close(began)
	return seen, errors.Join(err, <-reloaded)
}

// warm makes all load for two slots. It returns an error if anything fails.
func (w *reloading) warm(t *Target) error {
	seen, err := w.traffic(t, 2*w.slot, func() {})
	if err != nil {
		return err
	}
	return errors.Join(seen.fresh.Failures.Cause, seen.kept.Failures.Cause, seen.download.Cause)
}

// traffic is the result of the load beside the reloads.
type traffic struct {
	fresh    *load.Result // new connections
	kept     load.Requests
	download load.Failures
	tunnels  load.Failures
}

var errInterrupted = errors.New("interrupted")

// traffic makes all load but the tunnels for a time. It calls started when the new connections
// begin.
func (w *reloading) traffic(t *Target, d time.Duration, started func()) (traffic, error) {
	plan, err := w.plan(t, d)
	if err != nil {
		return traffic{}, err
	}
	plan.Tolerate, plan.Sampled, plan.Started, plan.Stop = true, true, started, t.Interrupted
	downloaded := make(chan error, 1)
	go func() {
		_, err := w.download(t, w.bytes*int64(d/w.slot)/int64(2*w.count+1), d).Run(true)
		downloaded <- err
	}()
	kept := w.keep(t)
	var seen traffic
	seen.fresh, err = load.Run(plan)
	seen.kept = kept.Stop()
	select {
	case err := <-downloaded:
		seen.download.Add(err)
	case <-t.Interrupted:
		// The download ends with its proxy.
		return seen, errInterrupted
	}
	return seen, err
}

// reloads makes the reloads from a time on, and adds them to the log. A reload that lasts longer
// than two slots delays the next one. Reloads that would begin after the load are omitted.
func (w *reloading) reloads(t *Target, log *reloadLog, start time.Time) error {
	for i := range w.count {
		slot := max(2*i+1, 2*int(time.Since(start)/(2*w.slot))+1)
		if slot > 2*w.count {
			return nil
		}
		select {
		case <-time.After(time.Until(start.Add(time.Duration(slot) * w.slot))):
		case <-t.Interrupted:
			return errInterrupted
		}
		broken := (i+1)%w.broken == 0
		done, err := t.Reload(i+1, broken)
		if err != nil {
			return fmt.Errorf("reload %d: %w", i+1, err)
		}
		one := reloadEvent{Reloaded: done, broken: broken, at: done.Began.Sub(start)}
		if !broken && done.Accepted {
			if one.effect, err = w.effect(t, i+1, done.Began); err != nil {
				return fmt.Errorf("reload %d: %w", i+1, err)
			}
		}
		if w.spread {
			if err := log.tunnels.open(t, w.tunnels/w.count); err != nil {
				return fmt.Errorf("reload %d: %w", i+1, err)
			}
		}
		one.memory = memory(t)
		log.events = append(log.events, one)
	}
	return nil
}

// effect makes new connections until one of them gets an answer by the new configuration. It
// returns the time since the request for the reload.
func (w *reloading) effect(t *Target, generation int, since time.Time) (time.Duration, error) {
	asked, err := request(short, peer.GenerationName(generation))
	if err != nil {
		return 0, err
	}
	for time.Since(since) < 20*time.Second {
		said, err := ask(t.Addr, asked)
		if err != nil {
			return 0, fmt.Errorf("ask for the new configuration: %w", err)
		}
		if string(said) == string(origin.Answer(1, true)) {
			return time.Since(since), nil
		}
	}
	return 0, errors.New("the new configuration has no effect after 20 s")
}
