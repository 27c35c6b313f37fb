package conf

import (
	"fmt"
	"net/netip"
	"time"
)

// Pos says where the operator wrote something. Line is 0 where the format does
// not tell (an entry inside a TOML array); Where then names it in words.
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

// Places says where directives were written, by their words ("mode", "option
// httpclose"), for messages; inherited ones stand in a defaults section.
type Places map[string]Pos

// Config is a whole configuration, checked and immutable once loaded. Slices
// keep the declared order: it is the order in which rules are tried.
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

// Global holds what belongs to the process. Zero means unset, except where a
// field says otherwise.
type Global struct {
	Pos          Pos
	At           Places
	MaxConn      int
	UlimitN      int
	StrictLimits bool
	Threads      int // event loops; nbthread, or nbproc of old
	Log          []LogTarget
	LogTag       string
	UID, GID     int // -1: unset
	User, Group  string
	Chroot       string
	Daemon       bool
	PidFile      string
	StatsSockets []StatsSocket
	StatsTimeout time.Duration
	BufferBudget int64 // bytes that residue and pipes of slow readers may hold; buffer_budget in TOML
}

// StatsSocket is a `stats socket` line: a UNIX path or an address, with its
// access rights.
type StatsSocket struct {
	Pos      Pos
	Address  Address
	Mode     uint32 // file mode; 0: unset, 0600
	User     string
	Group    string
	UID, GID int    // -1: unset
	Level    string // user, operator (the default) or admin
}

// Mode is a proxy's mode.
type Mode uint8

// The modes. TCP is HAProxy's default.
const (
	TCP Mode = iota
	HTTP
)

func (m Mode) String() string { return [...]string{"tcp", "http"}[m] }

// Network says what kind of socket an Address names.
type Network uint8

// The kinds of sockets.
const (
	NetTCP      Network = iota // IP and Port, or Host and Port
	NetUnix                    // unix@/path: Path
	NetAbstract                // abns@name: Path without the leading NUL
	NetFD                      // fd@N: an inherited listening socket, FD
)

// Address is where to listen or to connect to.
type Address struct {
	Net      Network
	Host     string     // a name to resolve; empty where IP is given
	IP       netip.Addr // with its zone; invalid: any (bind) or unresolved (server)
	Port     uint16
	Path     string
	FD       int
	V4V6     bool // bind: an IPv6 wildcard that takes IPv4 too
	V6Only   bool
	Wildcard bool // bind: `*` or empty host
}

// Bind is one listening address.
type Bind struct {
	Pos     Pos
	Address Address
	Name    string
	MaxConn int    // 0: no limit of its own
	Backlog int    // 0: the frontend's
	TFO     bool   // takes bytes that come with a SYN (TCP Fast Open)
	Mode    uint32 // UNIX socket's file mode, 0: the umask decides
	User    string
	Group   string
	UID     int // -1: unset
	GID     int // -1: unset
}

// Frontend accepts connections and decides where they go.
type Frontend struct {
	Name           string
	Pos            Pos
	Listen         bool // written as `listen`: the backend of this name is its default
	Mode           Mode
	Binds          []Bind
	MaxConn        int // 0: the process's
	Backlog        int // 0: the kernel's maximum
	ACLs           []*ACL
	Connection     []Rule // tcp-request connection
	Content        []Rule // tcp-request content
	InspectDelay   time.Duration
	UseBackend     []UseBackend
	DefaultBackend string // of a listen that names none: itself
	Timeout        FrontTimeout
	Log            Logging
	HTTPSettings
	Captures     Captures
	Monitor      Monitor
	IgnoreProbes bool // option http-ignore-probes
	SmartAccept  bool // option tcp-smart-accept, which mode http has by itself
	At           Places
}

// FrontTimeout holds a frontend's timeouts; zero is none.
type FrontTimeout struct {
	Client        time.Duration
	ClientFin     time.Duration
	HTTPRequest   time.Duration
	HTTPKeepAlive time.Duration
}

// Backend holds servers and how to choose one.
type Backend struct {
	Name       string
	Pos        Pos
	Listen     bool
	Mode       Mode
	Balance    Balance
	Servers    []*Server
	Retries    int // default 3
	Redispatch int // option redispatch's interval; 0: off, -1: on the last retry
	AllBackups bool
	Timeout    BackTimeout
	Log        Logging // only the targets: health messages go there
	ACLs       []*ACL
	Cookie     *Cookie
	HTTPCheck  *HTTPCheck
	HTTPSettings
	PretendKeepAlive bool // option http-pretend-keepalive
	Persist          bool // option persist: a cookie's server counts even while it is down
	SmartConnect     bool // option tcp-smart-connect
	At               Places
}

// BackTimeout holds a backend's timeouts; zero is none.
type BackTimeout struct {
	Connect   time.Duration
	Server    time.Duration
	ServerFin time.Duration
	Tunnel    time.Duration
	Check     time.Duration
	Queue     time.Duration // zero: Connect
}

// Balance is the `balance` line: the algorithm and its arguments.
type Balance struct {
	Algorithm string // default roundrobin
	Args      []string
}

// Server is one target of a backend.
type Server struct {
	Name      string
	Pos       Pos
	Address   Address
	Weight    int // 0..256, default 1
	Backup    bool
	Disabled  bool
	Check     bool
	Inter     time.Duration // default 2s
	FastInter time.Duration // 0: Inter
	DownInter time.Duration // 0: Inter
	Rise      int           // default 2
	Fall      int           // default 3
	Cookie    string
	TFO       bool // bytes may leave with the SYN (TCP Fast Open)
}

// Logging is what a proxy logs and where to.
type Logging struct {
	Targets        []LogTarget // `log global` already replaced by the global targets
	Format         LogFormat
	Line           *Format // of LogCustom
	DontLogNull    bool
	DontLogNormal  bool
	SeparateErrors bool // option log-separate-errors: what went wrong is logged at level err
}

// LogFormat says which line a proxy writes for a connection.
type LogFormat uint8

// The formats: HAProxy's short default line, option tcplog, option httplog,
// the log-format that Logging.Line holds, and log-format json.
const (
	LogDefault LogFormat = iota
	LogTCP
	LogHTTP
	LogCustom
	LogJSON
)

// LogTarget is one `log` line.
type LogTarget struct {
	Pos      Pos
	Kind     LogKind
	Address  Address // LogUDP and LogUnix
	Path     string  // LogFile
	Length   int     // longest line in bytes, default 1024
	Format   string  // local (the default: rfc3164 without the host's name), rfc3164, rfc5424, priority, short, timed, iso, raw
	Facility string
	Level    string // the least severe level sent; empty: all
	MinLevel string // levels more severe than this are sent as this one; empty: as they are
}

// LogKind says what carries the lines.
type LogKind uint8

// The carriers.
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
	Header string // empty: X-Forwarded-For
	IfNone bool
}

// Cookie is the `cookie` line of a backend.
type Cookie struct {
	Pos                                                  Pos
	Name                                                 string
	Insert, Rewrite, Prefix, Indirect, NoCache, PostOnly bool
	Preserve, HTTPOnly, Secure                           bool
	Domains                                              []string
	Attrs                                                []string      // added to a cookie that is inserted
	MaxIdle, MaxLife                                     time.Duration // whole seconds
}

// HTTPCheck is `option httpchk` with the `http-check` lines that go with it.
type HTTPCheck struct {
	Pos          Pos
	Method       string // default OPTIONS
	URI          string // default /
	Version      string // default HTTP/1.0
	Host         string
	Headers      []CheckHeader
	Body         string        // sent with its Content-Length
	Expect       []StatusRange // what passes; none: 200 to 399
	Not          bool          // all but Expect passes
	DisableOn404 bool          // 404 means: no new clients
}

// CheckHeader is one header of a check's request.
type CheckHeader struct{ Name, Value string }

// StatusRange is a range of status codes with both its ends.
type StatusRange struct{ Low, High int }
