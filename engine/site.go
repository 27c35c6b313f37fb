package engine

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/acl"
	"sluice/engine/httpflow"
	"sluice/engine/sock"
	"sluice/pool"
	"sluice/pool/stat"
)

// defaultInspect is the maximum time for a client to send the bytes that rules need. It is used
// if the configuration has neither inspect-delay nor timeout http-request.
const defaultInspect = 5 * time.Second

// site is a configuration that is ready to run. All loops share it. It is immutable except for
// its atomic values, such as counters.
type site struct {
	conf      *conf.Config
	frontends []*frontend
	backends  []*backend
	http      bool // a frontend is in mode http
	addresses bool // a log line of mode tcp contains local addresses
}

// frontend is a frontend that is ready to run. Times are in ms; for a timeout 0 means none.
type frontend struct {
	conf    *conf.Frontend
	rules   *acl.Program
	needs   acl.Needs   // the input that the rules need
	limit   *stat.Limit // maxconn of the frontend
	stat    stat.Proxy
	route   access.Route   // log targets
	line    *access.Format // log-format; nil: another format
	client  int64          // timeout client
	fin     int64          // timeout client-fin
	inspect int64          // maximum time in the inspecting state
	lenient bool           // inspect-delay is configured: at its end, the rules decide on the bytes present
	request int64          // timeout http-request, otherwise timeout client
	between int64          // timeout http-keep-alive, otherwise as request
	closes  conf.ConnMode  // when connections are closed
	errors  map[int][]byte // whole answers that replace our error pages, by status
}

// backend is a backend that is ready to run. Times are in ms; for a timeout 0 means none.
type backend struct {
	*pool.Backend
	addrs   []sock.Addr      // by index of the server
	route   access.Route     // log targets
	connect int64            // timeout connect
	server  int64            // timeout server
	fin     int64            // timeout server-fin
	tunnel  int64            // timeout tunnel
	closes  bool             // the server's connection is closed after each request
	cookie  *httpflow.Cookie // nil: no cookie
	lookup  httpflow.Lookup  // finds the server of a cookie's value
	ids     [][]byte         // value of the cookie, by index of the server
	rules   *acl.HTTP
	errors  map[int][]byte // as in frontend
}

// means are the functions with which newSite reads from the system.
type means struct {
	lookUp LookUp                                       // resolves a host name
	route  func([]conf.LogTarget) (access.Route, error) // opens log targets
}

// newSite compiles the rules and resolves the names of a configuration.
func newSite(c *conf.Config, m means) (*site, conf.Problems) {
	s := &site{conf: c}
	var problems conf.Problems
	for i, b := range c.Backends {
		made, ps := newBackend(backendID(c, i), b, m)
		problems = append(problems, ps...)
		s.backends = append(s.backends, made)
	}
	for _, f := range c.Frontends {
		made, ps := newFrontend(c, f, m)
		problems = append(problems, ps...)
		s.frontends = append(s.frontends, made)
		s.http = s.http || f.Mode == conf.HTTP
		s.addresses = s.addresses || f.Mode == conf.TCP && made != nil && made.line.AsksAddresses()
	}
	return s, once(problems)
}

// logPos returns the position of the first log directive of a proxy, or that of the proxy
// itself.
func logPos(targets []conf.LogTarget, proxy conf.Pos) conf.Pos {
	if len(targets) == 0 {
		return proxy
	}
	return targets[0].Pos
}

// once removes duplicates: proxies share log targets.
func once(problems conf.Problems) conf.Problems {
	var told conf.Problems
	for _, p := range problems {
		if !slices.Contains(told, p) {
			told = append(told, p)
		}
	}
	return told
}

// newFrontend compiles a frontend. It returns nil if the problems contain an error.
func newFrontend(c *conf.Config, f *conf.Frontend, m means) (*frontend, conf.Problems) {
	rules, problems := acl.Compile(c, f)
	route, err := m.route(f.Log.Targets)
	if err != nil {
		problems.Errorf(logPos(f.Log.Targets, f.Pos), "%v", err)
	}
	if problems.Err() != nil {
		return nil, problems
	}
	made := &frontend{
		conf:    f,
		route:   route,
		rules:   rules,
		needs:   rules.Needs(),
		limit:   stat.NewLimit(f.MaxConn),
		client:  f.Timeout.Client.Milliseconds(),
		fin:     f.Timeout.ClientFin.Milliseconds(),
		inspect: defaultInspect.Milliseconds(),
		lenient: f.InspectDelay > 0,
		line:    access.NewFormat(f.Log.Line),
	}
	switch {
	case f.InspectDelay > 0:
		made.inspect = f.InspectDelay.Milliseconds()
	case f.Timeout.HTTPRequest > 0:
		made.inspect = f.Timeout.HTTPRequest.Milliseconds()
	}
	made.request = cmp.Or(f.Timeout.HTTPRequest, f.Timeout.Client).Milliseconds()
	made.between = cmp.Or(f.Timeout.HTTPKeepAlive, f.Timeout.HTTPRequest, f.Timeout.Client).Milliseconds()
	made.closes = f.Conn
	made.errors = errorFiles(f.ErrorFiles)
	return made, problems
}

// newBackend compiles a backend with its number for `show stat`. It returns nil if its rules or
// log targets are in error.
func newBackend(id int, b *conf.Backend, m means) (*backend, conf.Problems) {
	servers, problems := pool.New(id, b, m.lookUp)
	rules, ps := acl.CompileBackend(b)
	problems = append(problems, ps...)
	route, err := m.route(b.Log.Targets)
	if err != nil {
		problems.Errorf(logPos(b.Log.Targets, b.Pos), "%v", err)
	}
	if problems.Err() != nil {
		return nil, problems
	}
	made := &backend{
		Backend: servers,
		rules:   rules,
		route:   route,
		connect: b.Timeout.Connect.Milliseconds(),
		server:  b.Timeout.Server.Milliseconds(),
		fin:     b.Timeout.ServerFin.Milliseconds(),
		tunnel:  b.Timeout.Tunnel.Milliseconds(),
	}
	made.closes = b.Conn != conf.KeepAlive
	made.useCookie(b.Cookie)
	made.errors = errorFiles(b.ErrorFiles)
	for _, s := range servers.Servers {
		addr, err := serverAddr(s)
		if err != nil {
			problems.Errorf(s.Conf.Pos, "server '%s' of backend '%s': %v", s.Name, b.Name, err)
		}
		made.addrs = append(made.addrs, addr)
	}
	return made, problems
}

// owns reports whether the frontend and the backend are one listen section. Its rules are
// evaluated once only.
func (f *frontend) owns(b *backend) bool {
	return f.conf.Listen && b.Conf.Listen && f.conf.Name == b.Name
}

// errorFiles returns the answers of errorfile and errorloc, by status.
func errorFiles(files []conf.ErrorFile) map[int][]byte {
	all := map[int][]byte{}
	for _, e := range files {
		all[e.Status] = e.Content
		if e.Location != "" {
			all[e.Status] = fmt.Appendf(nil, "HTTP/1.1 %d %s\r\ncontent-length: 0\r\ncache-control: no-cache\r\nlocation: %s\r\nconnection: close\r\n\r\n",
				e.Code, http.StatusText(e.Code), e.Location)
		}
	}
	return all
}

// useCookie prepares the cookie that binds clients to servers.
func (b *backend) useCookie(c *conf.Cookie) {
	if c == nil {
		return
	}
	b.cookie = httpflow.NewCookie(c)
	for _, s := range b.Servers {
		b.ids = append(b.ids, []byte(s.Conf.Cookie))
	}
	b.lookup = b.serverOfCookie
}

// marksClients reports whether the log line has letters for the cookie. As in HAProxy, it has
// none if only the server sets the cookie.
func (b *backend) marksClients() bool {
	c := b.Conf.Cookie
	return c != nil && (c.Insert || c.Rewrite || c.Prefix || c.Indirect)
}

// serverOfCookie returns the index of the server that a cookie's value names, or -1, and a
// letter for the log line. Several servers may have this value; the first one that runs is
// returned. With `option persist` a server that is down may also be used (HAProxy's
// configuration.txt 4.2).
func (b *backend) serverOfCookie(value []byte) (int32, byte) {
	letter := byte('I')
	for i, id := range b.ids {
		if len(id) == 0 || !bytes.Equal(id, value) {
			continue
		}
		if b.Servers[i].Running() {
			return int32(i), 'V'
		}
		if letter = 'D'; b.Conf.Persist {
			return int32(i), letter
		}
	}
	return -1, letter
}

func serverAddr(s *pool.Server) (sock.Addr, error) {
	switch s.Net {
	case conf.NetUnix:
		return sock.Unix(s.Path)
	case conf.NetAbstract:
		return sock.Abstract(s.Path)
	}
	return sock.IP(s.Addr)
}
