package conf

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Pos is the position of something in a configuration file. Line counts from 1. It is 0 if the line
// is unknown, for example for an entry inside a TOML array; Where then names the key.
type Pos struct {
	File  string
	Line  int
	Where string
}

func (p Pos) String() string {
	switch {
	case p.File == "":
		return p.Where
	case p.Line > 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	case p.Where != "":
		return fmt.Sprintf("%s: %s", p.File, p.Where)
	}
	return p.File
}

// Places maps a directive ("mode", "option httpclose") to its position, for messages. An inherited
// directive has its position in the defaults section.
type Places map[string]Pos

// Place returns the position of a directive of the global section, or that of the section if there
// is no such directive.
func (g *Global) Place(word string) Pos { return placeOr(g.At, word, g.Pos) }

// Config is a whole configuration. It is checked, and immutable after loading. Slices are in the
// order of the file, which is the order in which rules are tried.
type Config struct {
	Global    Global
	Frontends []*Frontend
	Backends  []*Backend
}

// Frontend returns the frontend of that name, or nil.
func (c *Config) Frontend(name string) *Frontend {
	for _, f := range c.Frontends {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Backend returns the backend of that name, or nil.
func (c *Config) Backend(name string) *Backend {
	for _, b := range c.Backends {
		if b.Name == name {
			return b
		}
	}
	return nil
}

// LogTargets returns the log targets of the process and of all frontends and backends. Targets that
// several of them have are there several times.
func (c *Config) LogTargets() []LogTarget {
	all := slices.Clone(c.Global.Log)
	for _, f := range c.Frontends {
		all = append(all, f.Log.Targets...)
	}
	for _, b := range c.Backends {
		all = append(all, b.Log.Targets...)
	}
	return all
}

// Global holds the settings of the process. The zero value of a field means that it is not set,
// unless the field says otherwise.
type Global struct {
	Pos          Pos
	At           Places // positions of the directives that are set
	MaxConn      int    // connections at the same time; 0: as many as the descriptors allow
	UlimitN      int    // limit of descriptors of the process; 0: the hard limit
	StrictLimits bool   // a MaxConn or UlimitN that cannot be reached is an error, not a warning
	Threads      int    // number of event loops: nbthread, or the older nbproc; 0: one per CPU
	Log          []LogTarget
	LogTag       string   // program name in log lines; empty: the name of the executable
	UID, GID     int      // -1: not set
	User, Group  string   // names to switch to; empty: not set
	Chroot       string   // directory; empty: no chroot
	SetCap       []string // setcap: capabilities that the process keeps when it gives up root; nil: none
	Daemon       bool     // run in the background
	MasterWorker bool     // keep a master process although no rights are given up
	PidFile      string   // path; empty: none is written
	StatsSockets []StatsSocket
	StatsTimeout time.Duration // time limit for a command on a stats socket; 0: 10 seconds
	HardStop     time.Duration // hard-stop-after: time for the connections of a drain, and of a replaced configuration; 0: no limit
	BufferBudget int64         // limit in bytes for data and pipes that wait for slow readers; 0: 64 MiB; buffer_budget in TOML
}

// StatsSocket is a `stats socket` directive: a UNIX path or an address, with its owner, mode and
// level.
type StatsSocket struct {
	Pos      Pos
	Address  Address
	Mode     uint32 // file mode of the socket; 0: not set, which means 0600
	User     string
	Group    string
	UID, GID int    // -1: not set
	Level    string // user, operator (the default) or admin
}

// Mode is the mode of a proxy.
type Mode uint8

// The modes. TCP is HAProxy's default.
const (
	TCP Mode = iota
	HTTP
)

func (m Mode) String() string { return [...]string{"tcp", "http"}[m] }

// Network is the kind of socket that an Address names.
type Network uint8

// The kinds of sockets.
const (
	NetTCP      Network = iota // IP and Port, or Host and Port
	NetUnix                    // unix@/path: Path
	NetAbstract                // abns@name: Path without the leading NUL
	NetFD                      // fd@N: an inherited listening socket, FD
)

// Address is an address to listen on or to connect to.
type Address struct {
	Net      Network
	Host     string     // name to resolve; empty: IP is used
	IP       netip.Addr // with its zone; invalid: every address (bind), or Host is used (server)
	Port     uint16
	Path     string // NetUnix and NetAbstract: the path or the name
	FD       int    // NetFD: the descriptor
	V4V6     bool   // bind: an IPv6 wildcard address that also accepts IPv4
	V6Only   bool   // bind: an IPv6 address that does not accept IPv4
	Wildcard bool   // bind: the host is `*` or empty
}

// Bind is one listening address.
type Bind struct {
	Pos     Pos
	Address Address
	Name    string
	MaxConn int    // 0: only the limits of the frontend and the process apply
	Backlog int    // 0: the backlog of the frontend
	TFO     bool   // accepts data in the SYN (TCP Fast Open)
	Mode    uint32 // file mode of the UNIX socket; 0: the umask decides
	User    string
	Group   string
	UID     int // -1: not set
	GID     int // -1: not set
}

// Frontend accepts connections and selects a backend for each.
type Frontend struct {
	Name           string
	Pos            Pos
	Listen         bool // written as `listen`: without default_backend it uses the backend of the same name
	Mode           Mode
	Binds          []Bind
	MaxConn        int // 0: only the limit of the process applies
	Backlog        int // 0: the highest value that the kernel allows
	ACLs           []*ACL
	Connection     []Rule        // tcp-request connection
	Content        []Rule        // tcp-request content
	InspectDelay   time.Duration // longest time that rules wait for bytes; 0: not set
	UseBackend     []UseBackend
	DefaultBackend string // empty: none; a listen without default_backend has its own name here
	Timeout        FrontTimeout
	Log            Logging
	HTTPSettings
	Captures     Captures
	Monitor      Monitor
	IgnoreProbes bool // option http-ignore-probes
	SmartAccept  bool // option tcp-smart-accept; the default is true in mode http and false in mode tcp
	At           Places
}

// FrontTimeout holds the timeouts of a frontend. 0 means no timeout, unless the field says otherwise.
type FrontTimeout struct {
	Client        time.Duration // the client neither sends nor accepts bytes
	ClientFin     time.Duration // replaces Client when one direction is closed; 0: not replaced
	HTTPRequest   time.Duration // for a complete request head; 0: the value of Client
	HTTPKeepAlive time.Duration // for the next request to begin; 0: HTTPRequest, or else Client
}

// Backend holds servers and the settings to choose one.
type Backend struct {
	Name            string
	Pos             Pos
	Listen          bool
	Mode            Mode
	Balance         Balance
	Servers         []*Server
	Retries         int  // default 3
	Redispatch      bool // option redispatch
	RedispatchEvery int  // interval of option redispatch; 0: no retry is selected, P: every P-th retry, -N: every (Retries+1-N)-th; -1 is the last retry
	AllBackups      bool // option allbackups: use all backup servers, not only the first
	Timeout         BackTimeout
	Log             Logging // only its targets are used: health messages are sent to them
	ACLs            []*ACL
	Cookie          *Cookie
	HTTPCheck       *HTTPCheck
	HTTPSettings
	PretendKeepAlive bool // option http-pretend-keepalive
	Persist          bool // option persist: the server that a cookie names is used even if it is down
	SmartConnect     bool // option tcp-smart-connect
	At               Places
}

// BackTimeout holds the timeouts of a backend. 0 means no timeout, unless the field says otherwise.
type BackTimeout struct {
	Connect   time.Duration // for a connection attempt to a server
	Server    time.Duration // the server neither sends nor accepts bytes
	ServerFin time.Duration // replaces Server when one direction is closed; 0: not replaced
	Tunnel    time.Duration // replaces Client and Server once both sides are connected; 0: not replaced
	Check     time.Duration // for the answer to a check; 0: inter limits the whole check
	Queue     time.Duration // 0: the value of Connect; it has no effect yet, because nothing is queued
}

// Balance is the `balance` directive: the algorithm and its arguments.
type Balance struct {
	Algorithm string // default roundrobin
	Args      []string
}

// Server is one server of a backend.
type Server struct {
	Name      string
	Pos       Pos
	Address   Address
	Weight    int // from 0 to 256, default 1; 0: gets no new clients, except by a cookie
	Backup    bool
	Disabled  bool
	Check     bool
	Inter     time.Duration // default 2s
	FastInter time.Duration // 0: the value of Inter
	DownInter time.Duration // 0: the value of Inter
	Rise      int           // successful checks in a row that make a server up; default 2
	Fall      int           // failed checks in a row that make a server down; default 3
	Cookie    string
	TFO       bool // data may be sent in the SYN (TCP Fast Open)
}

// Logging holds the settings of a proxy about its log.
type Logging struct {
	Targets        []LogTarget // `log global` is already replaced by the targets of the global section
	Format         LogFormat
	Line           *Format // the format, for LogCustom; otherwise nil
	DontLogNull    bool
	DontLogNormal  bool
	SeparateErrors bool // option log-separate-errors: sessions with errors are logged at level err
}

// LogFormat is the format of the line that a proxy logs for a connection or a request.
type LogFormat uint8

// The formats. LogDefault is HAProxy's short default line, LogTCP is option tcplog, LogHTTP is
// option httplog. LogCustom is the log-format in Logging.Line, LogJSON is `log-format json`.
const (
	LogDefault LogFormat = iota
	LogTCP
	LogHTTP
	LogCustom
	LogJSON
)

// LogTarget is one `log` directive.
type LogTarget struct {
	Pos      Pos
	Kind     LogKind
	Address  Address // destination, for LogUDP and LogUnix
	Path     string  // absolute path of the file, for LogFile
	Length   int     // longest line in bytes, from 80 to 65535, default 1024; longer lines are cut
	Format   string  // local, rfc3164, rfc5424, priority, short, timed, iso or raw; default local: rfc3164 without the host name
	Facility string
	Level    string // the least severe level that is sent; empty: all levels are sent
	MinLevel string // the most severe level of a line: more severe lines are sent with this level; empty: no limit
}

// LogKind is the kind of destination of a log.
type LogKind uint8

// The kinds.
const (
	LogUDP LogKind = iota
	LogUnix
	LogStdout
	LogStderr
	LogFile
)

// ForwardFor is `option forwardfor`.
type ForwardFor struct {
	Except netip.Prefix
	Header string // name of the field; empty: X-Forwarded-For
	IfNone bool
}

// Cookie is the `cookie` directive of a backend.
type Cookie struct {
	Pos                                                  Pos
	Name                                                 string
	Insert, Rewrite, Prefix, Indirect, NoCache, PostOnly bool
	Preserve, HTTPOnly, Secure                           bool
	Domains                                              []string
	Attrs                                                []string      // attributes added to an inserted cookie
	MaxIdle, MaxLife                                     time.Duration // multiples of one second; 0: no limit
}

// HTTPCheck is `option httpchk` together with the `http-check` directives of the section.
type HTTPCheck struct {
	Pos          Pos
	Method       string // default OPTIONS
	URI          string // default /
	Version      string // default HTTP/1.0
	Host         string
	Headers      []CheckHeader
	Body         string        // sent with a Content-Length; empty: none
	Expect       []StatusRange // status codes that mean success; nil: 200 to 399
	Not          bool          // all status codes except Expect mean success
	DisableOn404 bool          // a server that answers 404 gets no new clients
}

// CheckHeader is one header field of a check request.
type CheckHeader struct{ Name, Value string }

// StatusRange is a range of status codes. Low and High belong to it.
type StatusRange struct{ Low, High int }
