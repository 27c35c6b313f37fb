package site

import (
	"sluice/conf"
	"sluice/engine/httpflow"
)

// useCookie prepares the cookie that binds clients to servers. c is nil if the backend has no
// `cookie`.
func (b *Backend) useCookie(c *conf.Cookie) {
	if c == nil {
		return
	}
	b.Cookie = httpflow.NewCookie(c)
	b.Lookup = b.serverOfCookie
}

// serverOfCookie returns the slot of the server that a cookie's value names, or -1 for none, and a
// letter for the log line. The letter is V if the server runs, D if it is down, and I if no server
// has the value. Several servers may have the value. serverOfCookie returns the first of them that
// runs. With `option persist` it returns the first, even if that server is down (HAProxy's
// configuration.txt 4.2).
func (b *Backend) serverOfCookie(value []byte) (int32, byte) {
	letter := byte('I')
	for _, s := range b.Servers() {
		if id := s.Conf().Cookie; id == "" || id != string(value) {
			continue
		}
		if s.Running() {
			return s.Slot, 'V'
		}
		if letter = 'D'; b.Backend.Conf().Persist {
			return s.Slot, letter
		}
	}
	return -1, letter
}

// MarksClients reports whether the log line has letters for the cookie. As in HAProxy, it has
// none if only the server sets the cookie.
func (b *Backend) MarksClients() bool {
	c := b.Conf.Cookie
	return c != nil && (c.Insert || c.Rewrite || c.Prefix || c.Indirect)
}
