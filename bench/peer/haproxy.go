package peer

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// HAProxy is HAProxy, or another program that reads its configuration. Sluice gets the same
// file.
type HAProxy struct {
	Label   string
	Bin     string
	Version string
	Args    []string // arguments before the name of the file
	Env     []string // NAME=VALUE, added to our environment
	Global  []string // lines added to the section global
	Options []string // lines added to the section defaults
	// Pipe is the size of its pipes in bytes; 0: the kernel's default.
	Pipe int
	// Map puts the names into a file for the converter map(), instead of one rule per name.
	// HAProxy's manual recommends this for many names.
	Map bool
	// Sluice is true if the program is Sluice. The two programs reload in different ways.
	Sluice bool
}

// Name returns the label.
func (h *HAProxy) Name() string { return h.Label }

// About returns the version and the differences from the plain configuration.
func (h *HAProxy) About() string {
	about := []string{h.Version}
	about = append(about, h.Env...)
	about = append(about, h.global()...)
	about = append(about, h.Options...)
	if h.Map {
		about = append(about, "names in a map file")
	}
	return strings.Join(about, "; ")
}

// Routes returns true: HAProxy can route by all of them.
func (h *HAProxy) Routes(Route) bool { return true }

// Command writes haproxy.cfg and returns the command.
func (h *HAProxy) Command(s Site, bind netip.AddrPort, dir string) (*exec.Cmd, error) {
	mapFile := ""
	if h.Map && s.Route != Nothing {
		var err error
		if mapFile, err = write(dir, "names.map", names(s)); err != nil {
			return nil, err
		}
	}
	file, err := write(dir, configName, h.config(s, bind, mapFile))
	if err != nil {
		return nil, err
	}
	args, env := h.Args, append(os.Environ(), h.Env...)
	if s.Reloads != nil && !h.Sluice {
		args = []string{"-Ws", "-S", s.Reloads.Control, "-f"}
		env = append(env, "NOTIFY_SOCKET="+filepath.Join(dir, notifySocket))
	}
	cmd := exec.Command(h.Bin, append(append([]string{}, args...), file)...)
	cmd.Env = env
	return cmd, nil
}

// configName is the name of the configuration file in the directory of a peer.
const configName = "haproxy.cfg"

// names returns the contents of the map file.
func names(s Site) string {
	var b strings.Builder
	for i := range s.Rules {
		fmt.Fprintf(&b, "%s site%d\n", Name(i), Of(i))
	}
	return b.String()
}

func (h *HAProxy) config(s Site, bind netip.AddrPort, mapFile string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("global\n    nbthread %d\n    maxconn %d", Threads, s.MaxConn)
	if s.Log.IsValid() {
		line("    log %s local0", s.Log)
	}
	for _, l := range h.global() {
		line("    %s", l)
	}
	if s.Reloads != nil && h.Sluice {
		line("    stats socket %s level admin", s.Reloads.Control)
	}
	line("\ndefaults\n    mode %s\n    timeout connect 5s\n    timeout client 10m\n    timeout server 10m", mode(s))
	if s.HTTP {
		line(httpTimeouts)
	}
	if s.Log.IsValid() {
		line("    log global\n    option tcplog")
	}
	for _, l := range h.Options {
		line("    %s", l)
	}
	line("\nfrontend site\n    bind %s", bind)
	h.rules(line, s, mapFile)
	line("    default_backend site0")
	for i := range s.backends() {
		line("\nbackend site%d\n    server origin %s", i, s.Servers[Of(i)])
	}
	if s.Reloads != nil {
		reloadable(line, s)
	}
	return b.String()
}

const httpTimeouts = "    timeout http-request 10s\n    timeout http-keep-alive 10m"

// reloadable writes the sections of Reloads.
func reloadable(line func(string, ...any), s Site) {
	line("\nfrontend web\n    mode http\n    bind %s\n%s\n    default_backend web", s.Reloads.Web, httpTimeouts)
	line("\nbackend web\n    mode http\n    server origin %s", s.Servers[0])
	line("\nfrontend bulk\n    bind %s\n    default_backend bulk", s.Reloads.Bulk)
	line("\nbackend bulk\n    server origin %s", s.Reloads.Origin)
	if s.Reloads.Broken {
		line("    nonsense")
	}
}

func (h *HAProxy) global() []string {
	if h.Pipe == 0 {
		return h.Global
	}
	return append([]string{fmt.Sprintf("tune.pipesize %d", h.Pipe)}, h.Global...)
}

func mode(s Site) string {
	if s.HTTP {
		return "http"
	}
	return "tcp"
}

// rules writes the routing. In mode tcp, the proxy must first wait for the request head or the
// hello; mode http does this by itself. Then there is one rule per name, or the map.
func (h *HAProxy) rules(line func(string, ...any), s Site, mapFile string) {
	if s.Route == Nothing {
		return
	}
	whole, fetch := "HTTP", "hdr(host)"
	if s.Route == SNI {
		whole, fetch = "{ req.ssl_hello_type 1 }", "req.ssl_sni"
	}
	if !s.HTTP {
		line("    tcp-request inspect-delay 5s\n    tcp-request content accept if %s", whole)
	}
	if mapFile != "" {
		line("    use_backend %%[%s,lower,map(%s)]", fetch, mapFile)
		return
	}
	if s.Reloads != nil {
		line("    use_backend site1 if { %s -i %s }", fetch, GenerationName(s.Reloads.Generation))
	}
	for i := range s.Rules {
		line("    use_backend site%d if { %s -i %s }", i%s.backends(), fetch, Name(i))
	}
}
