package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine"
	"sluice/engine/access"
	"sluice/engine/listen"
	"sluice/engine/site"
)

// workerEnv is set in the environment of a worker. Its descriptors beside 0 to 2 are the link to its
// master and then the inherited stats sockets.
const (
	workerEnv = "SLUICE_WORKER"
	linkFD    = 3
)

// errMasterless ends a worker whose master has ended, as in HAProxy.
var errMasterless = errors.New("the master process has ended, so its worker ends, too")

// errUnfinished is the error of a reload that the worker has done and its master has not, because one
// of them ends.
var errUnfinished = errors.New("the process ends before its master has done its part of the reload")

// superior is the master process as its worker sees it.
type superior struct {
	link
	null *os.File // opened before the chroot
	pass parent   // the inherited stats sockets
	due  bool     // the master waits for sayDone or sayRefused; used by the goroutine of follow

	mu      sync.Mutex
	asked   int             // number of the last request
	waiting map[int]*reload // requests without an answer, by number
	compare map[int]bool    // those that want a comparison
}

// findSuperior returns the master of this process, or nil if the process is no worker.
func findSuperior() (*superior, error) {
	if os.Getenv(workerEnv) == "" {
		return nil, nil
	}
	if err := os.Unsetenv(workerEnv); err != nil {
		return nil, err
	}
	unix.CloseOnExec(linkFD)
	l, err := linkOf(linkFD)
	if err != nil {
		return nil, fmt.Errorf("the link to the master process: %w", err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	return &superior{link: l, null: null, pass: parent{next: linkFD + 1}, waiting: map[int]*reload{}, compare: map[int]bool{}}, err
}

// ready tells the master that this process serves clients. A daemon leaves its terminal before.
func (s *superior) ready(daemon bool, plain *zap.Logger) error {
	defer s.null.Close()
	flush(plain) // these lines come before those of the master
	if daemon {
		if err := leaveTerminal(s.null); err != nil {
			return err
		}
	}
	if err := s.say(sayReady); err != nil {
		return errMasterless
	}
	return nil
}

// ask sends a request to the master and does not wait for the answer.
func (s *superior) ask(word string) *reload {
	one := &reload{done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	s.waiting[s.asked], s.compare[s.asked] = one, word == sayCompare
	if err := s.say(fmt.Sprint(word, s.asked)); err != nil {
		s.settle(s.asked, report{}.refused(errMasterless))
	}
	return one
}

// reply sends a word to the master if the last bundle has no reply yet.
func (s *superior) reply(word string) {
	if s.due {
		s.due = false
		_ = s.say(word) // a master that has ended is noticed by the next receive
	}
}

// finish tells the master that a reload is done, and waits until the master has done its own part. It
// returns the warnings of the master. The error is errUnfinished.
func (s *superior) finish() ([]string, error) {
	s.reply(sayDone)
	warnings, err := s.hearCommit()
	if err != nil {
		return nil, errUnfinished
	}
	return warnings, nil
}

// hangUp ends a wait for the master, now and later.
func (s *superior) hangUp() { _ = s.SetReadDeadline(time.Unix(1, 0)) }

// answer ends the requests of this worker for which the master has sent a bundle, with a report: one
// comparison, or all reloads up to the number of the bundle.
func (s *superior) answer(b *bundle, p report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for number := range s.waiting {
		if s.compare[number] == b.Compare && (number == b.Serial || number < b.Serial && !b.Compare) {
			s.settle(number, p)
		}
	}
	if p.ok {
		s.reply(sayDone)
	} else {
		s.reply(sayRefused)
	}
}

// settle ends a request. The caller must hold mu.
func (s *superior) settle(number int, p report) {
	one := s.waiting[number]
	one.report = p
	close(one.done)
	delete(s.waiting, number)
	delete(s.compare, number)
}

// first receives the bundle of the start and compiles it.
func (l *launch) first(up *superior, daemonFlag bool) (*running, conf.Problems, error) {
	b, fds, err := up.receive()
	if err == nil && b.Error != "" {
		err = errors.New(b.Error)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("start as a worker: %w", err)
	}
	s, problems := b.compile(func(c *conf.Config) { l.complete(c, daemonFlag) })
	if s == nil {
		return nil, nil, refusal(l.files.String(), problems)
	}
	r := &running{launch: l, site: s, conf: s.Conf, master: up}
	r.sent, r.supply = b.descriptors(fds)
	return r, b.Problems, nil
}

// descriptors sorts the descriptors that came with a bundle.
func (b *bundle) descriptors(fds []int) (listen.Sent, *access.Supply) {
	logs := &access.Supply{LookUp: b.lookUp, Files: map[string]*os.File{}}
	for i, name := range b.Logs {
		fd := fds[b.Sockets+i]
		_ = unix.SetNonblock(fd, true) // a log file may be a pipe without a reader
		logs.Files[name] = os.NewFile(uintptr(fd), name)
	}
	return listen.Sent{Kept: b.Kept, FDs: fds[:min(b.Sockets, len(fds))]}, logs
}

// follow uses the bundles that come, until the master has ended.
func (r *reloader) follow(log *access.Log) error {
	for {
		b, fds, err := r.master.receive()
		if errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) {
			return errMasterless
		}
		if err != nil {
			return fmt.Errorf("the link to the master process: %w", err)
		}
		r.master.due = true
		r.master.answer(b, r.use(b, fds, log))
	}
}

// use reloads, or compares, with a bundle.
func (r *reloader) use(b *bundle, fds []int, log *access.Log) report {
	if b.Error != "" {
		b.Logs, b.Sockets = nil, 0
	}
	defer collectLess()()
	defer r.giveBack(b.Sources)
	sent, logs := b.descriptors(fds)
	log.Use(logs)
	defer logs.Close()
	said := report{}.found(b.Problems)
	err := r.engine.Reloadable()
	if err == nil && b.Error != "" {
		err = errors.New(b.Error)
	}
	if err != nil {
		sent.Close()
		if b.Compare {
			return said.refused(err)
		}
		return r.install(b.Began, said, err, nil, nil)
	}
	s, problems := b.compile(r.origin.change)
	if s == nil {
		sent.Close()
		return r.install(b.Began, said.found(problems), fmt.Errorf("%s is not valid: %s", r.origin.String(), count(problems)), nil, nil)
	}
	if b.Compare {
		return r.compareWith(s, said)
	}
	return r.install(b.Began, said, nil, s, func() (*engine.Reloaded, error) { return r.receive(s, sent) })
}

// receive makes a site the configuration of the process, with sockets of the master, and returns when
// the master has done its part, too.
func (r *reloader) receive(s *site.Site, sent listen.Sent) (*engine.Reloaded, error) {
	done, err := r.engine.Receive(s, sent)
	if err != nil {
		return nil, err
	}
	warnings, err := r.master.finish()
	done.Warnings = append(done.Warnings, warnings...)
	return done, err
}
