package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"sluice/conf"
	"sluice/engine/listen"
	"sluice/engine/site"
)

func newRun() *cobra.Command {
	l := launch{}
	c := &cobra.Command{
		Use:   "run -f FILE",
		Short: "run the balancer",
		Long: `Run the balancer until a signal stops it. SIGTERM and SIGINT stop at once.
SIGUSR1 accepts no new connections and waits for the running ones to end; a
second signal stops at once. SIGHUP and SIGUSR2 read the files again and apply
them without losing a connection; if they are not valid, nothing changes.

Where the process gives up rights (uid, gid, user, group, chroot), or with -W, a
master process keeps them and reads the files. It passes signals on to a worker,
which serves the clients. HAProxy's -Ws is -W, and its -db is --daemon=false.`,
		Example: `  sluice run -f web.toml
  sluice run -f haproxy.cfg -D -p /run/sluice.pid
  generate-configuration | sluice run -f -`,
		Args: onlyFlags,
		RunE: func(c *cobra.Command, _ []string) error {
			return l.start(c.Flags().Changed("daemon"))
		},
	}
	l.files.required(c)
	c.Flags().BoolVarP(&l.daemon, "daemon", "D", false, "go to the background; --daemon=false stays in the foreground although the configuration says daemon")
	c.Flags().StringVarP(&l.pidFile, "pid-file", "p", "", "write the pid to this `FILE` instead of the configuration's pidfile")
	c.Flags().BoolVarP(&l.supervised, "master-worker", "W", false, "keep a master process that has all rights, beside a worker that serves; always so if the configuration says uid, gid, user, group or chroot")
	c.Flags().StringVar(&l.crashLog, "crash-log", "", "write the trace of a crash to this `FILE` (default for a daemon with a pid file: its name and .crash)")
	c.Flags().StringVar(&l.logFormat, "log-format", "console", "format of the process's own log: console or json")
	return c
}

// launch contains the settings with which a configuration is run.
type launch struct {
	files      configFiles
	daemon     bool
	pidFile    string
	crashLog   string
	logFormat  string
	supervised bool                  // a master process stays although no rights are given up
	builtIn    bool                  // the configuration is a part of this program, and files only names it
	quiet      bool                  // say nothing while all is well
	caught     chan os.Signal        // see catchSignals; nil: signals are not caught yet
	ended      []bool                // by file: it ends with a line feed
	bundle     *bundle               // of the start, for a worker; nil: there is none
	bound      func(*listen.Sockets) // if set: called once clients can connect
}

// complete adds the settings of the configuration, except those that a flag has set. Paths
// become absolute, because a daemon leaves the directory in which it was started.
func (l *launch) complete(c *conf.Config, daemonFlag bool) {
	g := &c.Global
	if !daemonFlag {
		l.daemon = g.Daemon
	}
	l.pidFile = absolute(cmp.Or(l.pidFile, g.PidFile))
	l.crashLog = absolute(l.crashLog)
	if l.daemon && l.crashLog == "" && l.pidFile != "" {
		l.crashLog = l.pidFile + ".crash"
	}
	if l.leavesHome(c) {
		absoluteSockets(c, absolute("."))
	}
}

// leavesHome reports whether relative paths have another meaning when the process connects to them.
// In a chroot, the directory is "/" in the foreground, too.
func (l *launch) leavesHome(c *conf.Config) bool { return l.daemon && c.Global.Chroot == "" }

// absoluteSockets makes the paths of UNIX sockets absolute to which the process connects later:
// those of servers and of log targets. They are relative to home.
func absoluteSockets(c *conf.Config, home string) {
	makeAbsolute := func(a *conf.Address) {
		if a.Net == conf.NetUnix && a.Path != "" && !filepath.IsAbs(a.Path) {
			a.Path = filepath.Join(home, a.Path)
		}
	}
	logs := [][]conf.LogTarget{c.Global.Log}
	for _, f := range c.Frontends {
		logs = append(logs, f.Log.Targets)
	}
	for _, b := range c.Backends {
		logs = append(logs, b.Log.Targets)
		for _, s := range b.Servers {
			makeAbsolute(&s.Address)
		}
	}
	for _, targets := range logs {
		for i := range targets {
			makeAbsolute(&targets[i].Address)
		}
	}
}

func absolute(path string) string {
	if path == "" {
		return ""
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return path // without a working directory the path stays as it is
	}
	return full
}

// start reads the configuration and runs it. daemonFlag: the flag for a daemon is on the command line.
func (l *launch) start(daemonFlag bool) error {
	l.holdSignals()
	up, err := findSuperior()
	if err != nil {
		return err
	}
	if up != nil {
		r, problems, err := l.first(up, daemonFlag)
		if err != nil {
			return err
		}
		return r.serve(problems)
	}
	sources, err := l.files.open(readOnce)
	if err != nil {
		return err
	}
	l.ended = ended(sources)
	from := newCollector()
	s, problems := read(from.outside(), func(c *conf.Config) { l.complete(c, daemonFlag) }, sources...)
	l.bundle = &bundle{}
	from.fill(l.bundle, sources)
	return l.run(s, problems)
}

// run starts the balancer and returns when it has stopped; in the parent of a
// daemon, when the child is ready. s is nil if one of the problems is an error.
func (l *launch) run(s *site.Site, problems conf.Problems) error {
	above, err := findParent()
	if err != nil {
		return fmt.Errorf("start as a daemon: %w", err)
	}
	if s != nil {
		if err := capabilitiesOf(&s.Conf.Global).raise(); err != nil {
			return err
		}
	}
	if l.daemon && above == nil {
		return l.detach(s, problems)
	}
	if s == nil {
		return refusal(l.files.String(), problems)
	}
	keeps, err := l.keepsMaster(s.Conf)
	if err != nil {
		return err
	}
	if keeps {
		return l.lead(s.Conf, problems, above)
	}
	l.bundle = nil // only a master needs it
	r := &running{launch: l, site: s, conf: s.Conf, above: above}
	return r.serve(problems)
}

// keepsMaster reports whether a master process stays: if the worker gives up rights, or if the user
// wants it.
func (l *launch) keepsMaster(c *conf.Config) (bool, error) {
	id, err := rights(c)
	return id.changes() || c.Global.Chroot != "" || c.Global.MasterWorker || l.supervised, err
}
