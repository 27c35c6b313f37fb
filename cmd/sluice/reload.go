package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"sluice/conf"
	"sluice/engine"
	"sluice/engine/admin"
	"sluice/engine/site"
	"sluice/engine/sock"
)

// reloader replaces the configuration of the running process by that of its files. Its methods may
// be called from any goroutine once the engine is there.
type reloader struct {
	origin  origin
	engine  *engine.Engine
	log     *zap.Logger
	targets *ownTargets
	notify  notifier
	queue   reloadQueue
	later   *time.Timer // see giveBack; used by the reload or comparison that runs
	master  *superior   // reads the files for this process; nil: the process reads them itself

	closing sync.Mutex // held while a reload changes the engine and reports
	closed  bool       // the engine has stopped; guarded by closing
}

// request starts a reload, or joins one that has not begun, and does not wait for it. by says who
// requests it.
func (r *reloader) request(by string) *reload {
	r.log.Info(by + ": reload of " + r.origin.String())
	if r.master != nil {
		return r.master.ask(sayReload)
	}
	return r.queue.join(r.reload)
}

// compareOnce starts a comparison, and does not wait for it.
func (r *reloader) compareOnce() *reload {
	if r.master != nil {
		return r.master.ask(sayCompare)
	}
	return r.queue.alone(r.compare)
}

// command is the command reload of stats sockets. It returns early if ctx ends.
func (r *reloader) command(ctx context.Context, dryRun bool) admin.Result {
	var one *reload
	if dryRun {
		one = r.compareOnce()
	} else {
		one = r.request("stats socket")
	}
	select {
	case <-one.done:
		return one.report.result()
	case <-ctx.Done():
		return admin.Result{}
	}
}

// compare reads the files and reports what a reload would change. It changes nothing and logs
// nothing.
func (r *reloader) compare() report {
	if err := r.engine.Reloadable(); err != nil {
		return report{}.refused(err)
	}
	defer collectLess()()
	defer r.origin.enter()()
	s, sources, problems, err := r.origin.read(thisMachine())
	defer r.giveBack(sources)
	said := report{}.found(problems)
	if err != nil {
		return said.refused(err)
	}
	return r.compareWith(s, said)
}

func (r *reloader) compareWith(s *site.Site, said report) report {
	would, err := r.engine.Compare(s)
	if err != nil {
		return said.refused(err)
	}
	return said.compared(would)
}

// reload reads the files and gives the result to the engine. It reports to the log, and to systemd:
// a manager with Type=notify-reload waits for these messages (sd_notify(3)).
func (r *reloader) reload() report {
	if err := r.engine.Reloadable(); err != nil {
		return r.finish(report{}.refused(err))
	}
	defer collectLess()()
	began := time.Now()
	r.notify.reloading()
	lookUp := engine.LookUp(sock.LookUp).Once()
	defer r.origin.enter()()
	s, sources, problems, err := r.origin.read(site.Outside{LookUp: site.LookUp(lookUp), Files: conf.Disk{}})
	defer r.giveBack(sources)
	return r.install(began, report{}.found(problems), err, s, func() (*engine.Reloaded, error) { return r.engine.Reload(s, lookUp) })
}

// install gives a new site to the engine by reload, unless err says that there is none, and reports.
func (r *reloader) install(began time.Time, said report, err error, s *site.Site, reload func() (*engine.Reloaded, error)) report {
	r.closing.Lock()
	defer r.closing.Unlock()
	if r.closed {
		return report{}
	}
	defer r.notify.say("READY=1")
	if err != nil {
		return r.finish(said.refused(err))
	}
	done, err := reload()
	if errors.Is(err, errUnfinished) {
		return r.finish(said.add(zap.ErrorLevel, err.Error()))
	}
	if err != nil {
		return r.finish(said.refused(err))
	}
	if err := r.targets.follow(s.Conf.Global.Log); err != nil {
		said = said.add(zap.WarnLevel, "messages of the process go on to the old log targets: "+err.Error())
	}
	return r.finish(said.reloaded(done, time.Since(began)))
}

// finish writes a report to the log.
func (r *reloader) finish(p report) report {
	for _, m := range p.messages {
		r.log.Log(m.level, m.text)
	}
	return p
}

// close is called after the engine has stopped. Later reloads have no effect. A reload that still
// resolves host names is not waited for, and neither is a master.
func (r *reloader) close() {
	if r.master != nil {
		r.master.hangUp()
	}
	r.closing.Lock()
	defer r.closing.Unlock()
	r.closed = true
}
