package admin

import (
	"cmp"
	"iter"
	"slices"

	"sluice/pool"
	"sluice/pool/stat"
)

// proxy is a frontend or a backend. The other is nil.
type proxy struct {
	front *Frontend
	back  *pool.Backend
}

func (p proxy) id() int {
	if p.front != nil {
		return p.front.ID
	}
	return p.back.ID()
}

// proxies returns all frontends and backends, sorted by ID. With the same ID the frontend comes
// first.
func (v *View) proxies() []proxy {
	all := make([]proxy, 0, len(v.Frontends)+len(v.Backends))
	for i := range v.Frontends {
		all = append(all, proxy{front: &v.Frontends[i]})
	}
	for _, b := range v.Backends {
		all = append(all, proxy{back: b})
	}
	slices.SortStableFunc(all, func(a, b proxy) int { return cmp.Compare(a.id(), b.id()) })
	return all
}

// rows returns the rows of `show stat` at time now (stat.Now). They are sorted by ID. With the same
// ID a frontend comes first, then the servers of the backend, then the backend. A row is valid
// until the next one.
func (v *View) rows(now int64) iter.Seq[*stat.Row] {
	return func(yield func(*stat.Row) bool) {
		var r stat.Row
		full := v.fullConns()
		for _, p := range v.proxies() {
			if p.front != nil {
				p.front.fill(&r, now)
			} else {
				for _, s := range p.back.Servers() {
					if s.Fill(&r, now); !yield(&r) {
						return
					}
				}
				p.back.Fill(&r, now)
				r.Limit = max((full[p.back.Name]+9)/10, 1)
			}
			if !yield(&r) {
				return
			}
		}
	}
}

// fullConns returns the sum of the maxconn of the frontends that name a backend, by its name. A
// tenth of it is HAProxy's default of fullconn, the column slim of a backend. A frontend with
// several rules for one backend counts once (proxy_adjust_all_maxconn in HAProxy's sources).
func (v *View) fullConns() map[string]int {
	sums, last := map[string]int{}, map[string]*Frontend{}
	for i := range v.Frontends {
		f := &v.Frontends[i]
		add := func(backend string) {
			if last[backend] != f {
				last[backend] = f
				sums[backend] += f.MaxConn
			}
		}
		for _, u := range f.Conf.UseBackend {
			add(u.Backend)
		}
		add(f.Conf.DefaultBackend)
	}
	return sums
}
