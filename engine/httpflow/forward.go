package httpflow

import (
	"net/netip"

	"sluice/conf"
)

// Forward implements `option forwardfor` of a frontend and a backend; nil means that the option is
// not set. It appends a field with the client's address and leaves existing fields unchanged. It
// adds nothing if the client has no IP address, if an `except` contains the address, or if
// `if-none` forbids a second field.
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

// ifNone reports whether the option has `if-none`: add no field if the request already has one. A
// side without the option agrees, so the option of the other side decides.
func ifNone(f *conf.ForwardFor) bool { return f == nil || f.IfNone }

// forwardName returns the field name of the backend's option. Without one it is that of the
// frontend, as in HAProxy.
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
