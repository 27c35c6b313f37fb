package engine

import (
	"errors"
	"fmt"
	"sync/atomic"

	"sluice/conf/diff"
	"sluice/engine/listen"
	"sluice/engine/plan"
	"sluice/engine/session"
	"sluice/engine/site"
	"sluice/pool"
	"sluice/pool/stat"
)

// errLeaving is the error of a reload after Drain or Stop.
var errLeaving = errors.New("the process is stopping, so its configuration stays as it is")

// Reloaded describes a reload.
type Reloaded struct {
	Serial   int           // number of the new configuration; the one of the start has 1
	Changes  []diff.Change // differences from the configuration before
	Commands []pool.Change // values that commands had set, and that the configuration has replaced
	Warnings []string      // for example about changes that need a restart
}

// Reloadable returns an error if the process has begun to stop, so that Reload and Compare would
// refuse every site.
func (e *Engine) Reloadable() error {
	if e.leaving.Load() {
		return errLeaving
	}
	return nil
}

// Reload makes a site the configuration of the process. The site is compiled and not opened. Reload
// returns when all loops use the site for new clients. After an error nothing has changed. One
// reload runs at a time; another call waits. lookUp resolves the host names of bind lines.
func (e *Engine) Reload(s *site.Site, lookUp LookUp) (*Reloaded, error) {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	r, p, err := e.compare(s)
	if err != nil {
		return nil, err
	}
	number, err := e.free()
	if err != nil {
		return nil, err
	}
	sockets, err := e.sockets.Prepare(s.Conf, lookUp)
	if err != nil {
		return nil, err
	}
	if err := s.Open(e.access); err != nil {
		sockets.Abandon()
		return nil, err
	}
	if err := e.commit(r, number, s, p, sockets); err != nil {
		return nil, err
	}
	return r, nil
}

// Compare describes what Reload would change. The error is one for which Reload would refuse the
// site. Compare changes nothing.
func (e *Engine) Compare(s *site.Site) (*Reloaded, error) {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	r, _, err := e.compare(s)
	return r, err
}

// compare checks whether the configuration can replace the present one, and makes its plan.
func (e *Engine) compare(s *site.Site) (*Reloaded, plan.Plan, error) {
	if err := e.Reloadable(); err != nil {
		return nil, plan.Plan{}, err
	}
	r := &Reloaded{Serial: e.newest.Load().serial + 1, Changes: diff.Between(e.today().Conf, s.Conf)}
	for _, c := range r.Changes {
		if why := c.Fixed(); why != "" {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%s: takes effect after a restart only, because %s", c, why))
		}
	}
	p := e.Plan().Beside(e.confs(), s.Conf)
	for _, problem := range p.Problems {
		r.Warnings = append(r.Warnings, problem.String())
	}
	return r, p, p.Problems.Err()
}

// commit makes the site the newest one, which cannot fail. It returns errLeaving if Drain or Stop
// was called meanwhile; the site is then closed.
func (e *Engine) commit(r *Reloaded, number uint8, s *site.Site, p plan.Plan, sockets *listen.Next) error {
	e.swapping.Lock()
	defer e.swapping.Unlock()
	if e.leaving.Load() {
		sockets.Abandon()
		s.Close()
		return errLeaving
	}
	for _, c := range s.Share(&e.State) {
		if c.Command {
			r.Commands = append(r.Commands, c)
		}
	}
	e.SetPlan(p)
	e.setLimits(s)
	for _, warning := range sockets.Commit() {
		r.Warnings = append(r.Warnings, warning.Error())
	}
	e.begin(number, s, len(e.Loops))
	e.limitOld()
	for _, loop := range e.swap(number, s, e.listeners(s, sockets.Binds)) {
		sockets.CloseOpened(loop)
	}
	return nil
}

// swap makes all loops use a site with these listeners, by the number of the loop. It returns when
// all have done so, or when all loops have ended. In that case it returns the numbers of the loops
// that did not get the listeners.
func (e *Engine) swap(number uint8, s *site.Site, fresh [][]*session.Listener) (missed []int) {
	taken := make([]atomic.Bool, len(e.Loops))
	done := make(chan struct{})
	left := atomic.Int32{}
	left.Store(int32(len(e.Loops)))
	e.tell(func(l *session.Loop) error {
		taken[l.Number].Store(true)
		err := l.Follow(number, s, fresh[l.Number])
		if left.Add(-1) == 0 {
			close(done)
		}
		return err
	})
	select {
	case <-done:
	case <-e.over:
		for i := range taken {
			if !taken[i].Load() {
				missed = append(missed, i)
			}
		}
	}
	return missed
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
		for i, fd := range b.FDs {
			loop := i % len(e.Loops)
			all[loop] = append(all[loop], &session.Listener{FD: fd, Number: number[b.Frontend], Frontend: f, Limits: limits, Burst: 1})
		}
	}
	return all
}
