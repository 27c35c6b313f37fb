package main

import (
	"cmp"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"sluice/conf"
	"sluice/engine"
	"sluice/engine/sock"
)

func newRun() *cobra.Command {
	var files []string
	l := launch{}
	c := &cobra.Command{
		Use:   "run -f FILE",
		Short: "balance, as the configuration says",
		Long: `Run the balancer. Signals as HAProxy's: TERM and INT stop at once, USR1 lets
running connections end, any second one of the three ends that.`,
		Args: onlyFlags,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, problems, err := readFiles(sock.LookUp, files)
			if err != nil {
				return err
			}
			if cfg != nil {
				l.settle(&cfg.Global, c.Flags().Changed("daemon"))
			}
			return l.run(named(files), cfg, problems)
		},
	}
	fileFlag(c, &files)
	c.Flags().BoolVarP(&l.daemon, "daemon", "D", false, "go to the background; --daemon=false stays where the configuration says daemon")
	c.Flags().StringVarP(&l.pidFile, "pid-file", "p", "", "write the pid here, instead of to the configuration's pidfile")
	c.Flags().StringVar(&l.crashLog, "crash-log", "", "a daemon's crash leaves its trace here (default: the pid file's name and .crash)")
	c.Flags().StringVar(&l.logFormat, "log-format", "console", "how the process's own log looks: console or json")
	return c
}

// launch is how a configuration is run.
type launch struct {
	daemon    bool
	pidFile   string
	crashLog  string
	logFormat string
	quiet     bool                    // say nothing while all is well
	bound     func(*engine.Listeners) // if set: called once clients can connect
}

// settle lets the configuration decide what no flag decided. Paths become
// absolute, as a daemon leaves the directory it was started in.
func (l *launch) settle(g *conf.Global, daemonFlag bool) {
	if !daemonFlag {
		l.daemon = g.Daemon
	}
	l.pidFile = absolute(cmp.Or(l.pidFile, g.PidFile))
	l.crashLog = absolute(l.crashLog)
	if l.daemon && l.crashLog == "" && l.pidFile != "" {
		l.crashLog = l.pidFile + ".crash"
	}
}

func absolute(path string) string {
	if path == "" {
		return ""
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return path // no working directory: the path has to do as it is
	}
	return full
}

// run starts the balancer and returns when it has stopped; in the parent of a
// daemon, when the child is ready.
func (l *launch) run(name string, c *conf.Config, problems conf.Problems) error {
	above, err := findParent()
	if err != nil {
		return fmt.Errorf("start as a daemon: %w", err)
	}
	if l.daemon && above == nil {
		return l.detach(name, c, problems)
	}
	return l.serve(name, c, problems, above)
}
