package origin

import (
	"bytes"
	"net"

	"github.com/panjf2000/gnet/v2"
)

// handler answers connections on gnet's loop. It does not change after its creation.
type handler struct {
	gnet.BuiltinEventEngine
	serve  map[int]talk // by port
	booted func(gnet.Engine)
}

// talk answers the bytes that a connection has sent.
type talk func(c gnet.Conn, sent []byte) gnet.Action

func newHandler(at Addrs, booted func(gnet.Engine)) *handler {
	h := &handler{serve: map[int]talk{}, booted: booted}
	for site := range 2 {
		h.serve[int(at.HTTP[site].Port())] = newHTTP(site)
		h.serve[int(at.TLS[site].Port())] = newTLS(site)
	}
	return h
}

func (h *handler) OnBoot(e gnet.Engine) gnet.Action {
	h.booted(e)
	return gnet.None
}

func (h *handler) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	c.SetContext(h.serve[c.LocalAddr().(*net.TCPAddr).Port])
	return nil, gnet.None
}

func (h *handler) OnTraffic(c gnet.Conn) gnet.Action {
	sent, err := c.Peek(-1)
	if err != nil {
		return gnet.Close
	}
	return c.Context().(talk)(c, sent)
}

var (
	headEnd  = []byte("\r\n\r\n")
	asksEnd  = []byte("onnection: close") // without the C, because a proxy in mode http writes the name in lower case
	dripHead = []byte("POST ")
)

// newHTTP returns a talk that answers each request head. After the head of a POST it discards
// all further bytes without an answer, for clients that drip.
func newHTTP(site int) talk {
	kept, last := Answer(site, false), Answer(site, true)
	forget := talk(func(c gnet.Conn, sent []byte) gnet.Action {
		_, _ = c.Discard(len(sent))
		return gnet.None
	})
	return func(c gnet.Conn, sent []byte) gnet.Action {
		end := bytes.Index(sent, headEnd)
		if end < 0 {
			return gnet.None
		}
		head := sent[:end]
		answer, action := kept, gnet.None
		if bytes.Contains(head, asksEnd) {
			answer, action = last, gnet.Close
		}
		if bytes.HasPrefix(head, dripHead) {
			c.SetContext(forget)
		}
		_, _ = c.Discard(end + len(headEnd))
		if _, err := c.Write(answer); err != nil {
			return gnet.Close
		}
		return action
	}
}

// newTLS returns a talk that answers one complete TLS record and closes the connection.
func newTLS(site int) talk {
	flight := Flight(site)
	return func(c gnet.Conn, sent []byte) gnet.Action {
		if len(sent) < 5 || len(sent) < 5+int(sent[3])<<8+int(sent[4]) {
			return gnet.None
		}
		_, _ = c.Discard(len(sent))
		_, _ = c.Write(flight)
		return gnet.Close
	}
}
