//go:build simulation

package engine

// checkDescriptors: the process has never more descriptors than its plan says.
func (w *simWire) checkDescriptors() {
	if w.engine == nil { // it is made
		return
	}
	p := &w.engine.plan
	most := w.fixed + 2*p.Pipes + fdsPerConn*p.MaxConn
	if w.engine.leaving.Load() { // a drain accepts more clients than the limits allow
		most = w.fixed + int(p.Nofile) - p.Fixed
	}
	if n := w.process.Open(); n > most && !w.over {
		w.over = true
		w.failf("%d descriptors are open; the plan says %d at most: %s", n, most, p.Sum())
	}
}
