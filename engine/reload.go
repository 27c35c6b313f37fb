package engine

import (
	"errors"
	"fmt"
	"sync/atomic"

	"sluice/conf"
	"sluice/conf/diff"
	"sluice/engine/access"
	"sluice/engine/listen"
	"sluice/engine/session"
	"sluice/engine/site"
	"sluice/pool"
	"sluice/pool/stat"
)

// ErrLeaving is the error of a reload after Drain or Stop.
var ErrLeaving = errors.New("the process is stopping, so its configuration stays as it is")

// Reloaded describes a reload.
type Reloaded struct {
	Serial   int           // number of the new configuration; the one of the start has 1
	Changes  []diff.Change // differences from the configuration before
	Commands []pool.Change // values that commands had set, and that the configuration has replaced
	Warnings []string      // for example about settings that differ from those in use and need a restart
	MaxConn  string        // change of the effective maxconn of the process, with the sum; empty: it stays
}

// Reloadable returns an error if the process has begun to stop, so that Reload and Compare would
// refuse every site.
func (e *Engine) Reloadable() error {
	if e.leaving.Load() {
		return ErrLeaving
	}
	return nil
}

// update is a reload between its steps. prepare makes it, and nothing has changed yet. begin makes the
// site the newest one. Then each loop takes the site by take, on its own goroutine.
type update struct {
	*Reloaded
	number  uint8
	site    *site.Site
	most    int // maxconn of the process before
	sockets *listen.Next
	logs    *access.Reopening

	fresh [][]*session.Listener // by number of the loop; set by begin
	taken []atomic.Bool         // by number of the loop: take was called
	left  atomic.Int32          // number of loops for which take has not returned
	done  chan struct{}         // closed when left is 0
}

// Reload makes a site the configuration of the process. The site is compiled and not opened. Reload
// returns when all loops use the site for new clients. After an error nothing has changed. One
// reload runs at a time; another call waits. lookUp resolves the host names of bind lines.
func (e *Engine) Reload(s *site.Site, lookUp LookUp) (*Reloaded, error) {
	return e.reload(s, e.opener(s, lookUp))
}

// opener returns a function that opens the listening sockets of a site.
func (e *Engine) opener(s *site.Site, lookUp LookUp) func() (*listen.Next, error) {
	return func() (*listen.Next, error) { return e.sockets.Prepare(s.Conf, lookUp) }
}

// Receive is Reload with sockets that another process has opened. After an error they are closed.
func (e *Engine) Receive(s *site.Site, sent listen.Sent) (*Reloaded, error) {
	taken := false
	r, err := e.reload(s, func() (*listen.Next, error) {
		taken = true
		return e.sockets.Receive(s.Conf, sent)
	})
	if !taken {
		sent.Close()
	}
	return r, err
}

// reload is Reload with the new listening sockets that sockets returns.
func (e *Engine) reload(s *site.Site, sockets func() (*listen.Next, error)) (*Reloaded, error) {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	u, err := e.prepare(s, sockets)
	if err != nil {
		if u, err = e.prepareAgain(err, s, sockets); err != nil {
			return nil, err
		}
	}
	e.swapping.Lock()
	defer e.swapping.Unlock()
	if err := e.begin(u); err != nil {
		return nil, err
	}
	e.tell(u.take)
	e.await(u)
	return u.Reloaded, nil
}

// prepare opens the log targets of a site, also those that are open already, and binds its new sockets,
// which refuse clients until begin. Before, it lowers maxconn of the process if the descriptors would
// not suffice. After an error nothing is open.
func (e *Engine) prepare(s *site.Site, sockets func() (*listen.Next, error)) (*update, error) {
	u := &update{site: s, most: e.Plan().MaxConn}
	var err error
	if u.Reloaded, err = e.compare(s); err != nil {
		return nil, err
	}
	if u.number, err = e.free(); err != nil {
		return nil, err
	}
	e.expect(s.Conf)
	if err := u.open(e.access, sockets); err != nil {
		e.expect(nil)
		return nil, err
	}
	return u, nil
}

// open opens the log targets and sockets. After an error nothing is open.
func (u *update) open(log *access.Log, sockets func() (*listen.Next, error)) (err error) {
	if u.logs, err = log.Reopen(u.site.Conf.LogTargets()); err != nil {
		return err
	}
	if err = u.site.Open(log); err == nil {
		if u.sockets, err = sockets(); err != nil {
			u.site.Close()
		}
	}
	if err != nil {
		u.logs.Abandon()
	}
	return err
}

// Compare describes what Reload would change. The error is one for which Reload would refuse the
// site. Compare changes nothing.
func (e *Engine) Compare(s *site.Site) (*Reloaded, error) {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	r, err := e.compare(s)
	if err == nil {
		_, err = e.free()
	}
	if full, ok := errors.AsType[*fullError](err); ok {
		full.users = e.countUsers(full.oldest)
		if s.Conf.Global.HardStop > 0 {
			r.Warnings = append(r.Warnings, full.early())
			err = nil
		}
	}
	return r, err
}

// compare checks whether the configuration can replace the present one.
func (e *Engine) compare(s *site.Site) (*Reloaded, error) {
	if err := e.Reloadable(); err != nil {
		return nil, err
	}
	r := &Reloaded{Serial: e.newest.Load().serial + 1, Changes: diff.BetweenViews(e.today().View, s.View)}
	for _, c := range e.start.Restart(s.Conf) {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s: takes effect after a restart only, because %s", c, c.Fixed()))
	}
	p := e.planFor(s.Conf)
	for _, problem := range p.Problems {
		r.Warnings = append(r.Warnings, problem.String())
	}
	r.MaxConn = maxConnText(e.Plan().MaxConn, &p)
	return r, p.Problems.Err()
}

// abandon closes what prepare has opened.
func (e *Engine) abandon(u *update) {
	u.sockets.Abandon()
	u.logs.Abandon()
	u.site.Close()
	e.expect(nil)
}

// begin makes the site the newest one. All loops must then be told to take it. An error is ErrLeaving,
// because Drain or Stop was called meanwhile, or one of listen.Next.Listen; the site is then closed.
// Nothing can fail after Listen, because clients may then wait in the queues of the new sockets. The
// caller holds e.swapping until all loops have taken the site.
func (e *Engine) begin(u *update) error {
	s := u.site
	err := e.Reloadable()
	if err == nil {
		err = u.sockets.Listen()
	}
	if err != nil {
		e.abandon(u)
		return err
	}
	u.logs.Commit()
	for _, c := range s.Share(&e.State) {
		if c.Command {
			u.Commands = append(u.Commands, c)
		}
	}
	for _, warning := range u.sockets.Commit() {
		u.Warnings = append(u.Warnings, warning.Error())
	}
	for i := range u.sockets.Removed {
		e.planning.removed.Add(int64(len(u.sockets.Removed[i].FDs)))
	}
	e.add(u.number, s, len(e.Loops))
	e.expect(nil)
	u.MaxConn = maxConnText(u.most, e.Plan())
	e.setLimits(s)
	e.limitOld()
	u.fresh = e.listeners(s, u.sockets.Binds)
	u.taken = make([]atomic.Bool, len(e.Loops))
	u.left.Store(int32(len(e.Loops)))
	u.done = make(chan struct{})
	return nil
}

// take makes a loop use the site and its listeners.
func (u *update) take(l *session.Loop) error {
	u.taken[l.Number].Store(true)
	err := l.Follow(u.number, u.site, u.fresh[l.Number])
	if u.left.Add(-1) == 0 {
		close(u.done)
	}
	return err
}

// await returns when all loops have taken the site, or when all loops have ended.
func (e *Engine) await(u *update) {
	select {
	case <-u.done:
	case <-e.over:
		u.closeMissed()
	}
}

// closeMissed closes the new sockets of the loops that have ended before they could take the site.
func (u *update) closeMissed() {
	for i := range u.taken {
		if !u.taken[i].Load() {
			u.sockets.CloseOpened(i)
		}
	}
}

// listeners returns the listeners of a site by the number of their loop, and sets the limits of bind
// lines.
func (e *Engine) listeners(s *site.Site, binds []listen.Bind) [][]*session.Listener {
	all := make([][]*session.Listener, len(e.Loops))
	number := map[string]int{}
	for _, b := range binds {
		number[b.Frontend]++
		f := s.Frontend(b.Frontend)
		bind := s.Bind(b.Local().String())
		e.setMax(bind, b.Conf.MaxConn)
		limits := [...]*stat.Limit{&e.Limit, &f.Limit, bind}
		var shared *session.Inherited
		if b.Conf.Address.Net == conf.NetFD {
			shared = session.NewInherited(b.FDs)
		}
		for i, fd := range b.FDs {
			loop := i % len(e.Loops)
			all[loop] = append(all[loop], &session.Listener{FD: fd, Number: number[b.Frontend], Frontend: f, Limits: limits, Burst: 1, Shared: shared})
		}
	}
	return all
}
