package main

import (
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// stopper is the part of the engine on which signals act.
type stopper interface {
	Drain()
	Stop()
}

// holdSignals is called before the files are read, so that an order to drain or
// to reload is kept until the engine runs. TERM and INT end the process at once
// during that time.
func (l *launch) holdSignals() {
	l.caught = make(chan os.Signal, 16)
	signal.Notify(l.caught, heldSignals...)
}

var heldSignals = []os.Signal{syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGUSR2}

// catchSignals is called before anything is opened, so that each signal is kept
// until the engine runs. SIGPIPE is ignored: the process must survive a log reader
// that went away. So are SIGTTOU and SIGTTIN, by which HAProxy pauses and resumes
// its listening sockets: the kernel would stop the whole process.
func (l *launch) catchSignals() <-chan os.Signal {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGTTOU, syscall.SIGTTIN)
	if l.caught == nil {
		l.holdSignals()
	}
	signal.Notify(l.caught, syscall.SIGTERM, syscall.SIGINT)
	return l.caught
}

// orders is the work that signals start.
type orders struct {
	engine   stopper
	reload   func(by string) // does not wait for the reload
	stopping func()          // called before the engine drains or stops
	log      *zap.Logger
}

// obey handles signals as HAProxy does, until done is closed: TERM and INT stop
// at once, USR1 drains, and any of the three ends a drain (management.txt 4). HUP
// and USR2 reload; HAProxy's master takes USR2 for that.
func (o *orders) obey(caught <-chan os.Signal, done <-chan struct{}) {
	draining := false
	for {
		select {
		case <-done:
			return
		case sig := <-caught:
			switch {
			case sig == syscall.SIGHUP || sig == syscall.SIGUSR2:
				o.reload(signalName(sig))
			case sig == syscall.SIGUSR1 && !draining:
				draining = true
				o.log.Info("SIGUSR1: draining, no new connections; the process stops when the running ones have ended, a second signal stops it at once")
				o.stopping()
				o.engine.Drain()
			default:
				o.log.Info(signalName(sig) + ": stopping now")
				o.stopping()
				o.engine.Stop()
			}
		}
	}
}

func signalName(sig os.Signal) string { return unix.SignalName(sig.(syscall.Signal)) }
