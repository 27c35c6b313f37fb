package httpflow

import (
	"net/netip"

	"sluice/conf"
)

// Forward is `option forwardfor` of a frontend and a backend, either of which
// may be nil: it appends one more field that tells the client's address, never
// touching those that are there. An invalid address, as a UNIX client's, is not
// told.
func (w *Rewrite) Forward(client netip.Addr, front, back *conf.ForwardFor) {
	if front == nil && back == nil || !client.IsValid() || excepted(client, front) || excepted(client, back) {
		return
	}
	name := forwardName(front, back)
	if ifNone(front) && ifNone(back) && Has(w.fields, name) {
		return
	}
	start := len(w.text)
	w.text = client.Unmap().WithZone("").AppendTo(w.text)
	w.AddHeader(name, w.text[start:])
}

func excepted(client netip.Addr, f *conf.ForwardFor) bool {
	return f != nil && f.Except.Contains(client.Unmap())
}

// ifNone says whether a side minds a field that is there: both must, or the one
// that is set.
func ifNone(f *conf.ForwardFor) bool { return f == nil || f.IfNone }

// forwardName is the backend's if it has the option, as in HAProxy.
func forwardName(front, back *conf.ForwardFor) string {
	f := back
	if f == nil {
		f = front
	}
	if f.Header == "" {
		return "x-forwarded-for"
	}
	return f.Header
}
