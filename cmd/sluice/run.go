package main

import (
	"cmp"
	"fmt"
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
them without losing a connection; if they are not valid, nothing changes.`,
		Example: `  sluice run -f web.toml
  sluice run -f haproxy.cfg -D -p /run/sluice.pid
  generate-configuration | sluice run -f -`,
		Args: onlyFlags,
		RunE: func(c *cobra.Command, _ []string) error {
			s, problems, err := l.files.read(thisMachine(), func(cfg *conf.Config) { l.complete(cfg, c.Flags().Changed("daemon")) })
			if err != nil {
				return err
			}
			return l.run(s, problems)
		},
	}
	l.files.required(c)
	c.Flags().BoolVarP(&l.daemon, "daemon", "D", false, "go to the background; --daemon=false stays in the foreground although the configuration says daemon")
	c.Flags().StringVarP(&l.pidFile, "pid-file", "p", "", "write the pid to this `FILE` instead of the configuration's pidfile")
	c.Flags().StringVar(&l.crashLog, "crash-log", "", "write the trace of a crash to this `FILE` (default for a daemon with a pid file: its name and .crash)")
	c.Flags().StringVar(&l.logFormat, "log-format", "console", "format of the process's own log: console or json")
	return c
}

// launch contains the settings with which a configuration is run.
type launch struct {
	files     configFiles
	daemon    bool
	pidFile   string
	crashLog  string
	logFormat string
	builtIn   bool                  // the configuration is a part of this program, and files only names it
	quiet     bool                  // say nothing while all is well
	bound     func(*listen.Sockets) // if set: called once clients can connect
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
	if l.daemon && g.Chroot == "" { // in a chroot, the directory is "/" in the foreground, too
		absoluteSockets(c)
	}
}

// absoluteSockets makes the paths of UNIX sockets absolute to which the process connects later:
// those of servers and of log targets.
func absoluteSockets(c *conf.Config) {
	makeAbsolute := func(a *conf.Address) {
		if a.Net == conf.NetUnix {
			a.Path = absolute(a.Path)
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

// run starts the balancer and returns when it has stopped; in the parent of a
// daemon, when the child is ready. s is nil if one of the problems is an error.
func (l *launch) run(s *site.Site, problems conf.Problems) error {
	above, err := findParent()
	if err != nil {
		return fmt.Errorf("start as a daemon: %w", err)
	}
	if l.daemon && above == nil {
		return l.detach(s, problems)
	}
	return l.serve(s, problems, above)
}
