package site

import (
	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/acl"
	"sluice/engine/httpflow"
	"sluice/engine/sock"
	"sluice/pool"
)

// Backend is a compiled backend. Timeouts are in milliseconds; 0 means no timeout. Before
// Site.Share, its pool.Backend is a new one. Share replaces it by the backend of this name that the
// process already has, if any. That backend has settings of its own, which are those of the newest
// site: they decide which server is chosen. Everything else follows the settings of this site.
type Backend struct {
	*pool.Backend
	Conf  *conf.Backend
	Index int          // index in Site.Backends
	Rules *acl.HTTP    // http-request and http-response rules
	Route access.Route // log targets; None before Open

	ConnectTimeout   int64 // timeout connect
	ServerTimeout    int64 // timeout server
	ServerFinTimeout int64 // timeout server-fin
	TunnelTimeout    int64 // timeout tunnel

	ClosesServer bool             // the connection to the server is closed after each request
	Cookie       *httpflow.Cookie // nil: no cookie
	Lookup       httpflow.Lookup  // finds the server that a cookie's value names; nil: no cookie
	Errors       map[int][]byte   // complete answers that replace error pages, by status
}

// backendID returns the number of a backend in `show stat`. Backends are numbered after the
// frontends. Both halves of a listen section have the same number.
func backendID(c *conf.Config, i int) int {
	for n, f := range c.Frontends {
		if f.Listen && c.Backends[i].Listen && f.Name == c.Backends[i].Name {
			return firstID + n
		}
	}
	return firstID + len(c.Frontends) + i
}

// newBackend compiles a backend with its number for `show stat`. It returns nil if the problems
// contain an error.
func newBackend(id int, b *conf.Backend, out Outside) (*Backend, conf.Problems) {
	servers, problems := pool.New(id, b, pool.Means{Resolve: out.LookUp, Prepare: prepare})
	rules, found := acl.CompileBackend(out.Files, b)
	problems = append(problems, found...)
	out.checkLog(b.Log.Targets, b.Pos, &problems)
	if problems.Err() != nil {
		return nil, problems
	}
	made := &Backend{
		Backend: servers,
		Conf:    b,
		Rules:   rules,

		ConnectTimeout:   b.Timeout.Connect.Milliseconds(),
		ServerTimeout:    b.Timeout.Server.Milliseconds(),
		ServerFinTimeout: b.Timeout.ServerFin.Milliseconds(),
		TunnelTimeout:    b.Timeout.Tunnel.Milliseconds(),

		ClosesServer: b.Conn != conf.KeepAlive,
		Errors:       errorFiles(b.ErrorFiles),
	}
	made.useCookie(b.Cookie)
	return made, problems
}

// prepare returns the address of a server in the form that system calls take.
func prepare(to *pool.Target) (pool.Socket, error) {
	addr, err := address(to)
	if err != nil {
		return nil, err
	}
	return &addr, nil
}

func address(to *pool.Target) (sock.Addr, error) {
	switch to.Net {
	case conf.NetUnix:
		return sock.Unix(to.Path)
	case conf.NetAbstract:
		return sock.Abstract(to.Path)
	}
	return sock.IP(to.Addr)
}

// Address returns the present address of a server, for system calls. The address can change at any
// time, so a caller reads it once for each connection.
func Address(s *pool.Server) *sock.Addr { return s.Target().Socket.(*sock.Addr) }
