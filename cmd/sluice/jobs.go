package main

import (
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"sluice/conf"
	"sluice/engine"
	"sluice/engine/access"
	"sluice/engine/listen"
	"sluice/engine/site"
)

// jobs are the reloads and comparisons of a master. One runs at a time, on a goroutine of its own.
// All requests for a reload that come meanwhile share the next one.
type jobs struct {
	origin  origin
	sockets *listen.Sockets // what the worker has; used by one job at a time

	wanted  bool  // a reload is wanted
	serial  int   // the last request of the worker for a reload
	newest  int   // the last request of the worker
	compare []int // comparisons that the worker wants

	busy   bool          // a job runs
	free   chan struct{} // a job has ended
	asked  atomic.Bool   // a bundle was sent, and the worker has not answered
	answer chan bool     // the worker has used the bundle, or refused it; its buffer holds one answer
}

func newJobs(m *master, from origin, sockets *listen.Sockets) jobs {
	return jobs{origin: from, sockets: sockets, free: make(chan struct{}), answer: make(chan bool, 1)}
}

// next starts the next job, if there is one and none runs.
func (m *master) next() {
	b := &bundle{Serial: m.serial}
	switch {
	case m.busy || !m.started:
		return
	case m.wanted:
		m.wanted = false
	case len(m.compare) > 0:
		b.Compare, b.Serial = true, m.compare[0]
		m.compare = m.compare[1:]
	default:
		return
	}
	m.busy = true
	stopping := m.stopping
	go func() {
		m.work(b, stopping)
		debug.FreeOSMemory() // a large configuration was read, and the next reload may be far
		m.free <- struct{}{}
	}()
}

// work makes a bundle, sends it, and does its own part when the worker has used it.
func (m *master) work(b *bundle, stopping bool) {
	b.Began = time.Now()
	if stopping {
		b.Error = engine.ErrLeaving.Error()
		_ = m.deliver(b, nil)
		return
	}
	if !b.Compare {
		m.notify.reloading()
		defer m.notify.say("READY=1")
	}
	defer m.origin.enter()()
	from := newCollector()
	s, sources, problems, err := m.origin.read(site.Outside{LookUp: from.lookUp, Files: from})
	b.Problems = problems
	if err != nil {
		b.Error = err.Error()
		_ = m.deliver(b, nil)
		return
	}
	from.fill(b, sources)
	if b.Compare {
		_ = m.deliver(b, nil)
		return
	}
	m.reload(b, s.Conf, from)
}

// reload opens what the worker may not open, and sends it with the bundle.
func (m *master) reload(b *bundle, c *conf.Config, from *collector) {
	sockets, logs, err := m.open(c, engine.LookUp(from.lookUp))
	if err != nil {
		_ = m.deliver(&bundle{Serial: b.Serial, Began: b.Began, Problems: b.Problems, Error: err.Error()}, nil)
		return
	}
	defer logs.close()
	if !m.deliver(b.with(sockets.Sent(), logs)) {
		sockets.Abandon()
		return
	}
	_ = m.sayCommit(m.commit(sockets, c)) // a worker that has ended is noticed by its link
}

// commit is the master's part of a reload that the worker has done. The worker reports the warnings.
func (m *master) commit(sockets *listen.Next, c *conf.Config) (warnings []string) {
	for _, warning := range sockets.Commit() {
		warnings = append(warnings, warning.Error())
	}
	if err := m.targets.renew(c.Global.Log); err != nil {
		warnings = append(warnings, "messages of the master process go on to the old log targets: "+err.Error())
	}
	return warnings
}

// open opens all log files and log sockets, and binds the sockets that the worker does not have. The
// worker makes them listen, when it can refuse the bundle no more.
func (m *master) open(c *conf.Config, lookUp engine.LookUp) (*listen.Next, openLogs, error) {
	logs, err := openLogsOf(c)
	if err != nil {
		return nil, logs, err
	}
	sockets, err := m.sockets.Prepare(c, lookUp)
	if err != nil {
		logs.close()
	}
	return sockets, logs, err
}

// sendFirst sends the bundle of the start. The master then closes its descriptors of the listening
// sockets: a socket that it held would go on queueing clients that no worker accepts.
func (m *master) sendFirst(b *bundle, c *conf.Config) error {
	logs, err := openLogsOf(c)
	if err != nil {
		return err
	}
	defer logs.close()
	err = m.send(b.with(m.sockets.Sent(), logs))
	m.sockets.GiveAway()
	return err
}

// deliver sends a bundle and reports whether the worker has used it. If the worker has ended, there
// is no answer, and the process ends.
func (m *master) deliver(b *bundle, fds []int) bool {
	m.asked.Store(true)
	if err := m.send(b, fds); err != nil {
		m.log.Error("send the configuration to the worker: " + err.Error())
		_ = m.worker.Process.Kill()
	}
	return <-m.answer
}

// openLogs are open log files and log sockets, with the names of their destinations.
type openLogs struct {
	names []string
	files []*os.File
}

func openLogsOf(c *conf.Config) (l openLogs, _ error) {
	open, err := access.OpenSupply(c.LogTargets())
	for name, f := range open {
		l.names, l.files = append(l.names, name), append(l.files, f)
	}
	return l, err
}

func (l *openLogs) close() {
	for _, f := range l.files {
		f.Close()
	}
}

// with adds descriptors to a bundle, and returns them in their order.
func (b *bundle) with(sent listen.Sent, logs openLogs) (*bundle, []int) {
	b.Kept, b.Sockets, b.Logs = sent.Kept, len(sent.FDs), logs.names
	fds := sent.FDs
	for _, f := range logs.files {
		fds = append(fds, int(f.Fd()))
	}
	return b, fds
}
