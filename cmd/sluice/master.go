package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/plan"
)

// endTime is how long a worker may live after it has closed its link, which it does only at its end.
const endTime = 5 * time.Second

// master is the process that keeps the rights. It reads the files, opens what needs rights, and
// passes all of it to its worker. It serves no client. Its methods run on one goroutine, except
// those of jobs.
type master struct {
	launch  *launch
	above   *parent // of a daemon; nil: none
	plain   *zap.Logger
	log     *zap.Logger
	targets *ownTargets
	notify  notifier

	link
	worker   *exec.Cmd
	words    chan string      // what the worker says; closed at its end
	started  bool             // the worker is ready
	early    []syscall.Signal // USR1 before the worker is ready, which would have no effect on it
	stopping bool             // the worker was told to stop or to drain
	jobs
}

// lead runs a worker and returns when it has ended. c is the configuration of the start.
func (l *launch) lead(c *conf.Config, problems conf.Problems, above *parent) error {
	caught := l.catchSignals()
	m := &master{launch: l, above: above}
	var err error
	if m.plain, err = l.ownLogger(); err != nil {
		return err
	}
	defer flush(m.plain)
	logs := access.Open(l.tag(c), m.plain)
	defer logs.Close()
	if m.log, m.targets, err = ownLog(m.plain, logs, c.Global.Log, l.daemon); err != nil {
		return err
	}
	m.notify = openNotify(m.log)
	defer pidFile(l.pidFile).remove()
	if err := pidFile(l.pidFile).write(); err != nil {
		return err
	}
	defer forgetCrash(l.crashLog)
	tellCrash(l.crashLog, m.log)
	if err := keepCrash(l.crashLog); err != nil {
		return err
	}
	if err := m.begin(c, problems); err != nil {
		return err
	}
	return m.rule(caught)
}

// begin opens the sockets, starts the worker, and sends it the configuration.
func (m *master) begin(c *conf.Config, problems conf.Problems) error {
	var limits conf.Problems // the worker reports them
	if _, err := raiseNofile(&c.Global, &limits); err != nil {
		return err
	}
	unbound(c, &problems)
	lacking(c, &problems)
	loops := plan.Make(c, math.MaxUint32).Loops
	sockets, err := m.above.listeners(c, loops)
	if err != nil {
		return err
	}
	if m.launch.bound != nil {
		m.launch.bound(sockets)
	}
	b := m.launch.bundle
	m.launch.bundle = nil
	b.Problems, b.Began = problems, time.Now()
	m.jobs = newJobs(m, originOf(m.launch, c), sockets)
	if err := m.spawn(c); err != nil {
		return err
	}
	return m.sendFirst(b, c)
}

// spawn starts this program again as the worker. Signals of the terminal reach the master only.
func (m *master) spawn(c *conf.Config) error {
	near, far, err := newLink()
	if err != nil {
		return err
	}
	defer far.Close()
	if err := keepFromChildren(); err != nil {
		return err
	}
	w := exec.Command("/proc/self/exe", os.Args[1:]...)
	w.Args[0] = os.Args[0] // the log tag is derived from it
	w.Env = append(os.Environ(), workerEnv+"="+strconv.Itoa(os.Getpid()))
	w.Stdout, w.Stderr = os.Stdout, os.Stderr
	w.ExtraFiles = []*os.File{far}
	for _, s := range c.Global.StatsSockets {
		if s = m.above.statsSocket(s); s.Address.Net == conf.NetFD {
			f := os.NewFile(uintptr(s.Address.FD), "stats socket")
			defer f.Close()
			w.ExtraFiles = append(w.ExtraFiles, f)
		}
	}
	w.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := w.Start(); err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	m.link, m.worker, m.words = near, w, make(chan string, 1)
	go m.listen()
	return nil
}

// listen passes on what the worker says.
func (m *master) listen() {
	defer close(m.words)
	for {
		word, err := m.hear(longestWord)
		if err != nil {
			return
		}
		m.words <- word
	}
}

// rule obeys signals and the worker until the worker has ended.
func (m *master) rule(caught <-chan os.Signal) error {
	for {
		select {
		case sig := <-caught:
			m.signalled(sig.(syscall.Signal))
		case word, open := <-m.words:
			if !open {
				return m.end()
			}
			if err := m.heard(word); err != nil {
				m.log.Error(err.Error() + ": the worker is stopped")
				_ = m.worker.Process.Kill()
				return m.end()
			}
		case <-m.free:
			m.busy = false
			m.next()
		}
	}
}

// signalled reloads for HUP and USR2, and passes other signals on: TERM, INT and USR1.
func (m *master) signalled(sig syscall.Signal) {
	if sig == syscall.SIGHUP || sig == syscall.SIGUSR2 {
		m.log.Info(signalName(sig) + ": reload of " + m.origin.String())
		m.wanted = true
		m.next()
		return
	}
	if sig == syscall.SIGUSR1 && !m.started {
		m.early = append(m.early, sig)
		return
	}
	if !m.stopping {
		m.notify.say("STOPPING=1")
	}
	m.stopping = true
	_ = m.worker.Process.Signal(sig) // a worker that has ended is noticed by its link
}

// heard obeys the worker. An error says that the worker is not to be trusted any more.
func (m *master) heard(word string) error {
	unknown := fmt.Errorf("the worker says %.32q, which it must not", word)
	switch {
	case word == sayReady && !m.started:
		m.started = true
		debug.FreeOSMemory() // the configuration is with the worker
		m.next()
		err := announceReady(m.log, m.notify, m.plain, m.above)
		for _, sig := range m.early {
			m.signalled(sig)
		}
		return err
	case (word == sayDone || word == sayRefused) && m.asked.CompareAndSwap(true, false):
		m.answer <- word == sayDone
		return nil
	}
	text, reload := strings.CutPrefix(word, sayReload)
	if !reload {
		var compare bool
		if text, compare = strings.CutPrefix(word, sayCompare); !compare {
			return unknown
		}
	}
	number, err := strconv.Atoi(text)
	if err != nil || number <= m.newest {
		return unknown
	}
	m.newest = number
	if reload {
		m.wanted, m.serial = true, number
	} else {
		m.compare = append(m.compare, number)
	}
	m.next()
	return nil
}

// end waits for the end of the worker and returns its exit status. A worker that ends without an
// order ends the master with the same status.
func (m *master) end() error {
	late := time.AfterFunc(endTime, func() { _ = m.worker.Process.Kill() })
	defer late.Stop()
	err := m.worker.Wait()
	if err == nil {
		return nil
	}
	status := 1
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		status = failed.ExitCode()
		if how := failed.Sys().(syscall.WaitStatus); how.Signaled() {
			status = 128 + int(how.Signal()) // as a shell does
		}
	}
	if m.started {
		m.log.Error(fmt.Sprintf("the worker, pid %d, ended: %v: the master ends, too", m.worker.Process.Pid, err))
	}
	return exitStatus{status, nil}
}
