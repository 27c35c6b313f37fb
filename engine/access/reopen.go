package access

import (
	"errors"

	"sluice/conf"
)

// Reopening holds destinations that were opened a second time. Exactly one of its methods Commit and
// Abandon must be called.
type Reopening struct {
	log   *Log
	fresh map[*carrier]outlet // each carrier has one use more until the end of the Reopening
}

// Reopen opens those destinations of the targets anew that are open already: files, which may have
// been renamed by a rotation; UNIX sockets, whose reader may have been restarted; host names, which
// may have another address. Lines go to the present ones until Commit.
//
// The error names every destination that cannot be opened, with the place of its first target; nothing
// has changed then.
func (l *Log) Reopen(targets []conf.LogTarget) (*Reopening, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &Reopening{log: l, fresh: map[*carrier]outlet{}}
	var errs []error
	tried := map[*carrier]bool{}
	for _, t := range targets {
		c := l.carrierOf(t)
		if c == nil || tried[c] || !ages(t) {
			continue
		}
		tried[c] = true
		out, err := l.supply.outlet(t)
		if err != nil {
			errs = append(errs, placed(t, outletError(t, err)))
			continue
		}
		c.uses++
		r.fresh[c] = out
	}
	if err := errors.Join(errs...); err != nil {
		r.abandon()
		return nil, err
	}
	return r, nil
}

// ages reports whether a destination that is open can become another one than that of its name.
func ages(t conf.LogTarget) bool {
	return t.Kind == conf.LogFile || t.Kind == conf.LogUnix || t.Kind == conf.LogUDP && !t.Address.IP.IsValid()
}

// Commit makes lines go to the destinations that were opened anew, beginning with the first line that
// is not sent completely.
func (r *Reopening) Commit() {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	for c, out := range r.fresh {
		c.replace(out)
	}
	r.leave()
}

// Abandon closes the destinations that were opened anew. Lines go on to the present ones.
func (r *Reopening) Abandon() {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	r.abandon()
}

// abandon is Abandon. The caller must hold mu of the log.
func (r *Reopening) abandon() {
	for _, out := range r.fresh {
		out.close()
	}
	r.leave()
}

// leave gives up the use of all carriers. The caller must hold mu of the log.
func (r *Reopening) leave() {
	for c := range r.fresh {
		r.log.leave(c)
	}
	r.fresh = nil
}
