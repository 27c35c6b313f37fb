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
	"sluice/engine/stat"
	"sluice/pool"
)

// defaultInspect is how long a client may take for the bytes that rules need where
// the configuration names neither inspect-delay nor timeout http-request.
const defaultInspect = 5 * time.Second

// site is a configuration made ready to run: immutable but for what is atomic
// in it, and shared by all loops.
type site struct {
	conf      *conf.Config
	frontends []*frontend
	backends  []*backend
	http      bool // a frontend is in mode http
	addresses bool // the line of one in mode tcp tells our addresses
}

type frontend struct {
	conf    *conf.Frontend
	rules   *acl.Program
	needs   acl.Needs
	limit   *stat.Limit
	stat    stat.Proxy
	route   access.Route
	line    *access.Format // of log-format; nil: the line is another
	client  int64          // timeouts in ms, 0: none
	fin     int64
	inspect int64 // how long rules may wait for bytes
	lenient bool  // inspect-delay is written: at its end, what there is decides
	request int64 // timeout http-request, else client
	between int64 // timeout http-keep-alive, else http-request
	closes  conf.ConnMode
	errors  map[int][]byte // by status, what is sent in place of our page
}

type backend struct {
	*pool.Backend
	addrs   []sock.Addr // by server
	route   access.Route
	connect int64 // timeouts in ms, 0: none
	server  int64
	fin     int64
	tunnel  int64
	closes  bool             // the server's connection ends with each exchange
	cookie  *httpflow.Cookie // nil: none
	lookup  httpflow.Lookup
	ids     [][]byte // by server: the cookie's value
	rules   *acl.HTTP
	errors  map[int][]byte
}

// means are what newSite asks of the system.
type means struct {
	lookUp LookUp
	route  func([]conf.LogTarget) (access.Route, error)
}

// newSite compiles rules and resolves names.
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

// logPos is where the log lines of a proxy begin.
func logPos(targets []conf.LogTarget, proxy conf.Pos) conf.Pos {
	if len(targets) == 0 {
		return proxy
	}
	return targets[0].Pos
}

// once leaves out what was told before: proxies share their log targets.
func once(problems conf.Problems) conf.Problems {
	var told conf.Problems
	for _, p := range problems {
		if !slices.Contains(told, p) {
			told = append(told, p)
		}
	}
	return told
}

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

// owns reports whether both are halves of one listen section, whose rules run
// once.
func (f *frontend) owns(b *backend) bool {
	return f.conf.Listen && b.Conf.Listen && f.conf.Name == b.Name
}

// errorFiles makes ready the answers of errorfile and errorloc.
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

// useCookie makes ready the cookie that keeps clients on their servers.
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

// marksClients says whether the log line has letters for the cookie: not where
// clients are followed by what their server sets, as in HAProxy.
func (b *backend) marksClients() bool {
	c := b.Conf.Cookie
	return c != nil && (c.Insert || c.Rewrite || c.Prefix || c.Indirect)
}

// serverOfCookie finds the server of a cookie's value: the first of that value
// that runs, or may be used all the same by `option persist` (HAProxy's
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
