package main

import (
	"cmp"
	"fmt"
	"math"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"

	"go.uber.org/zap"

	"sluice/conf"
	"sluice/engine"
	"sluice/engine/access"
	"sluice/engine/admin"
	"sluice/engine/listen"
	"sluice/engine/plan"
	"sluice/engine/site"
)

// running is the balancer of one process from its start to its stop. Its
// methods are called once each, in the order in which serve calls them.
type running struct {
	launch *launch
	above  *parent     // of a daemon; nil: none
	master *superior   // of a worker; nil: the process reads its files itself
	sent   listen.Sent // of a worker, from its master, as supply
	supply *access.Supply

	site      *site.Site
	conf      *conf.Config // of the site
	identity  identity
	plan      plan.Plan
	plain     *zap.Logger // writes to standard error only
	log       *zap.Logger // writes to standard error, and in a daemon to the log targets
	targets   *ownTargets
	access    *access.Log
	listeners *listen.Sockets
	where     []string // a line for each bind: frontend and address
	stats     []net.Listener
	engine    *engine.Engine
	notify    notifier
	reloads   *reloader
}

// detach is the parent's part of a daemon's start. Errors that an operator can
// correct are reported here, before anything is in the background.
func (l *launch) detach(s *site.Site, problems conf.Problems) error {
	signal.Reset(heldSignals...) // they are for the child
	if s == nil {
		return refusal(l.files.String(), problems)
	}
	c := s.Conf
	if _, err := rights(c); err != nil {
		return err
	}
	listeners, err := openSockets(c, plan.Make(c, math.MaxUint32).Loops)
	if err != nil {
		return err
	}
	return detach(c, listeners, l.files.stdin)
}

// rights returns the user, group and capabilities of the process, and an error if
// it may not change to them.
func rights(c *conf.Config) (identity, error) {
	id, problems := identityOf(&c.Global)
	if err := problems.Err(); err != nil {
		return id, err
	}
	if err := id.allowed(c.Global.Chroot); err != nil {
		return id, err
	}
	if err := id.mayKeep(); err != nil {
		return id, fmt.Errorf("%s: %w", c.Global.Place("setcap"), err)
	}
	return id, nil
}

// serve starts the balancer and returns when it has stopped.
func (r *running) serve(problems conf.Problems) error {
	l := r.launch
	caught := l.catchSignals()
	if err := r.prepare(l.files.String(), problems); err != nil {
		return err
	}
	var err error
	if r.identity, err = rights(r.conf); err != nil {
		return err
	}
	spareProcessor(r.plan.Loops)
	if r.plain, err = l.ownLogger(); err != nil {
		return err
	}
	defer flush(r.plain)
	if err := r.open(); err != nil {
		return err
	}
	defer r.access.Close()
	if r.master == nil {
		defer pidFile(l.pidFile).remove()
		defer forgetCrash(l.crashLog)
	}
	if err := r.dropRoot(); err != nil {
		return err
	}
	if err := r.announce(); err != nil {
		return err
	}
	if err := r.work(caught); err != nil {
		r.log.Error("stopped: " + err.Error()) // a daemon has only its log
		return err
	}
	r.log.Info("stopped")
	return nil
}

// work runs the engine, under signals, until it has stopped.
func (r *running) work(caught <-chan os.Signal) error {
	done := make(chan struct{})
	var obeying sync.WaitGroup
	o := orders{
		engine:   r.engine,
		reload:   func(by string) { r.reloads.request(by) },
		stopping: func() { r.notify.say("STOPPING=1") },
		log:      r.log,
	}
	obeying.Go(func() { o.obey(caught, done) })
	defer r.reloads.close()
	defer obeying.Wait()
	defer close(done)
	r.site, r.conf = nil, nil // the engine has them, and forgets them after a reload
	if r.master == nil {
		return r.engine.Run()
	}
	lost := make(chan error, 1)
	go func() {
		lost <- r.reloads.follow(r.access)
		r.engine.Stop()
	}()
	if err := r.engine.Run(); err != nil {
		return err
	}
	select {
	case err := <-lost:
		return err
	default:
		return nil
	}
}

// prepare divides the file descriptors and tells all problems at once. It opens
// nothing: `sluice check` calls it too, so that both find the same. None of the
// problems that are known before is an error.
func (r *running) prepare(name string, problems conf.Problems) error {
	nofile, err := raiseNofile(&r.conf.Global, &problems)
	if err != nil {
		return err
	}
	r.plan = plan.Make(r.conf, nofile)
	unbound(r.conf, &problems)
	if r.master == nil {
		lacking(r.conf, &problems)
	}
	return refusal(name, append(problems, r.plan.Problems...))
}

// open opens everything that the process may not open after it dropped root.
func (r *running) open() (err error) {
	l := r.launch
	if err := r.bind(); err != nil {
		return err
	}
	if l.bound != nil {
		l.bound(r.listeners)
	}
	r.access = access.Open(l.tag(r.conf), r.plain)
	if r.master != nil {
		r.access.Use(r.supply)
		defer r.supply.Close()
	}
	if r.log, r.targets, err = ownLog(r.plain, r.access, r.conf.Global.Log, l.daemon); err != nil {
		return err
	}
	if r.master == nil {
		r.notify = openNotify(r.log)
	}
	return r.build(originOf(l, r.conf))
}

// tag returns the name of the process in the headers of log lines.
func (l *launch) tag(c *conf.Config) string {
	return cmp.Or(c.Global.LogTag, filepath.Base(os.Args[0]))
}

// build makes the engine, which takes over all sockets. from is the origin of the configuration, for
// reloads.
func (r *running) build(from origin) (err error) {
	r.reloads = &reloader{origin: from, log: r.log, targets: r.targets, notify: r.notify, master: r.master}
	r.engine, err = engine.New(engine.Options{
		Site: r.site, Plan: r.plan, Listeners: r.listeners, Logger: r.log, Access: r.access, Stats: r.stats, Version: version(), Released: released(),
		Reload: r.reloads.command,
	})
	r.reloads.engine = r.engine
	return err
}

// bind takes the listening sockets from a master or a parent, or opens them.
func (r *running) bind() (err error) {
	above := r.above
	if r.master != nil {
		above = &r.master.pass
		r.listeners, err = listen.AdoptSent(r.conf, r.plan.Loops, r.sent)
	} else {
		r.listeners, err = above.listeners(r.conf, r.plan.Loops)
	}
	if err != nil {
		return err
	}
	r.where = r.listeners.Lines() // asked now: the engine takes the sockets
	for _, s := range r.conf.Global.StatsSockets {
		ln, err := admin.Listen(above.statsSocket(s))
		if err != nil {
			return fmt.Errorf("%s: %w", s.Pos, err)
		}
		r.stats = append(r.stats, ln)
	}
	return nil
}

// dropRoot does the last things that need root, and drops root.
func (r *running) dropRoot() error {
	l := r.launch
	if r.master == nil {
		if err := pidFile(l.pidFile).write(); err != nil {
			return err
		}
		tellCrash(l.crashLog, r.log)
	}
	if err := keepCrash(l.crashLog); err != nil {
		return err
	}
	if err := enterJail(r.conf.Global.Chroot, r.log); err != nil {
		return err
	}
	return r.identity.become()
}

// announce reports to the log, and to systemd and the parent or to the master, that the start is over.
func (r *running) announce() error {
	for _, line := range r.where {
		r.log.Info(line)
	}
	r.log.Info(fmt.Sprintf("maxconn %d: %s", r.plan.MaxConn, r.plan.Sum()))
	if r.master != nil {
		return r.master.ready(r.launch.daemon, r.plain)
	}
	return announceReady(r.log, r.notify, r.plain, r.above)
}

// announceReady reports that this process, or its worker, serves clients.
func announceReady(log *zap.Logger, notify notifier, plain *zap.Logger, above *parent) error {
	log.Info(fmt.Sprintf("ready, pid %d", os.Getpid()))
	notify.say(fmt.Sprintf("MAINPID=%d\nREADY=1", os.Getpid()))
	if above == nil {
		return nil
	}
	flush(plain) // release closes the terminal
	return above.release()
}

// spareProcessor gives the runtime one processor more than there are loops.
// While one is idle, the runtime's monitor lets a loop that waits for events
// keep its own; without, it takes it away every 20 microseconds, which costs a
// tenth of the CPU time. GOMAXPROCS in the environment wins.
//
// It is called before anything is opened: the runtime writes no trace of a
// crash that comes while it changes the number of processors.
func spareProcessor(loops int) {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(loops + 1)
	}
}
