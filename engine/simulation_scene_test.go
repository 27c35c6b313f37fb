//go:build simulation

package engine

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"sluice/engine/kernel"
)

// scene contains the contents of a world, made from its plan: the configuration, the sizes, the
// faults, and the expected deviations of conversations.
type scene struct {
	plan    *worldPlan
	on      []string // names of the parts of the world, see keeps
	loops   int
	most    int      // maxconn of the process; 0: none
	global  []string // further lines of the section global
	fronts  []*simFront
	backs   []*simBack
	sizes   simSizes
	machine kernel.Options
	faults  []simFault
	pace    pace
	odds    odds
	finale  finale
	flips   []flip
	changes []limitChange
	reloads []*simReload

	hardStops     bool // reloads may set hard-stop-after
	stamps        bool // rules and log formats show their configuration, see draft.stamp
	serversChange bool // a reload adds, removes, disables or moves a server

	doubts  doubts
	forgets bool           // the kernel may forget clients in front of a full queue
	terms   map[int]string // termination states of requests that rules answer, by number of the request
}

// doubts are reasons for which a conversation may deviate from its plan.
type doubts uint8

const (
	refusals doubts = 1 << iota // answer 503; in mode tcp the end before the balancer connects to a server
	cuts                        // the connection may end at any time
	absence                     // the balancer may not be listening
)

func (d doubts) has(any doubts) bool { return d&any != 0 }

// setScene makes the scene of a plan.
func setScene(p *worldPlan) *scene {
	s := &scene{plan: p, loops: 1, sizes: usualSizes(), pace: usualPace(p.order("pace")), odds: usualOdds(), terms: map[int]string{}, machine: kernel.Options{Delayed: true, FastOpen: 3}}
	for i := range p.backs {
		s.backs = append(s.backs, s.newBack(i))
	}
	for i := range p.fronts {
		s.fronts = append(s.fronts, s.newFront(i))
	}
	turnAll(s, "", s, worldKnobs)
	for _, b := range s.backs {
		turnAll(s, b.name, b, backKnobs)
		b.finish(s)
	}
	for _, f := range s.fronts {
		turnAll(s, f.name, f, frontKnobs)
		f.finish(s)
	}
	for _, f := range s.fronts {
		f.shareTimeouts()
	}
	s.editReloads()
	s.shorten()
	s.fitHeads()
	return s
}

// config returns the configuration in the syntax of haproxy.cfg.
func (s *scene) config() string {
	d := s.draft()
	if s.stamps {
		d.stamp(firstLabel)
	}
	return d.String()
}

// draft returns the sections of the configuration.
func (s *scene) draft() draft {
	d := draft{{"global", append(slices.Clone(s.global), fmt.Sprintf("nbthread %d", s.loops), "maxconn "+fmt.Sprint(s.maxconn()))}}
	for _, f := range s.fronts {
		d = append(d, &section{"frontend " + f.name, slices.Clone(f.lines)})
	}
	for _, b := range s.backs {
		d = append(d, &section{"backend " + b.name, slices.Clone(b.lines)})
	}
	return d
}

// enough is a maxconn that no world reaches.
const enough = 60

func (s *scene) maxconn() int {
	if s.most > 0 {
		return s.most
	}
	return enough
}

// ipAddress returns the address 127.net.0.host with a port.
func ipAddress(net, host byte, port int) kernel.Address {
	return kernel.Address{IP: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, net, 0, host}), uint16(port))}
}

// unixAddress returns the address of a UNIX socket: an abstract name or a path.
func unixAddress(abstract bool, name string) kernel.Address {
	if abstract {
		return kernel.Address{Path: "@" + name}
	}
	return kernel.Address{Path: "/simulation/" + name}
}

// written returns an address in the syntax of the configuration.
func written(a kernel.Address) string {
	switch {
	case !a.IsUnix():
		return a.IP.String()
	case a.Path[0] == '@':
		return "abns" + a.Path
	}
	return "unix@" + a.Path
}

// milliseconds returns a time in the syntax of the configuration.
func milliseconds(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }

// modeName returns the argument of `mode`.
func modeName(http bool) string {
	if http {
		return "http"
	}
	return "tcp"
}
