//go:build simulation

package engine

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"sluice/engine/kernel"
)

var reloadKnobs = []knob[*simReload]{
	{"unused frontends", 0.3, nil, unusedFrontends},
	{"unused backends", 0.3, nil, unusedBackends},
	{"added addresses", 0.3, nil, addedAddresses},
	{"other order", 0.3, nil, otherOrder},
	{"any address", 0.5, nil, otherAddress},
	{"options of sockets", 0.2, nil, otherSocketOptions},
	{"maxconn", 0.4, nil, otherMaxconn},
	{"weights", 0.3, nil, otherWeights},
	{"unused rules", 0.3, nil, unusedRules},
	{"log target", 0.2, nil, otherLogTarget},
	{"removed server", 0.25, nil, onServer(func(b *simBack, v *simServer, d *draft) { b.section(d).replace(v.beginning(), "") })},
	{"disabled server", 0.15, nil, onServer(func(b *simBack, v *simServer, d *draft) { b.addTo(v, d, "disabled") })},
	{"moved server", 0.25, nil, movedServer},
	{"added server", 0.25, nil, addedServer},
	{"given up", 0.15, nil, func(t *turn[*simReload]) { t.of.givenUp = true }},
	{"busy address", 0.1, nil, func(t *turn[*simReload]) { t.of.busy = true }},
	{"hard stop", 0.5, nil, hardStopAfter},
	{"new address", 0.4, nil, newAddress},
	{"removed address", 0.3, nil, removedAddress},
	{"renamed frontend", 0.2, nil, renamedFrontend}, // edits of the frontend must come before
	{"removed frontend", 0.2, nil, removedFrontend},
}

// edit adds an edit to the reload.
func (r *simReload) edit(e edit) { r.edits = append(r.edits, e) }

// unusedFrontends adds frontends that no client uses. The indexes of the others change.
func unusedFrontends(t *turn[*simReload]) {
	for i := range 1 + t.IntN(3) {
		at, b := t.Uint64(), t.scene.backs[t.IntN(len(t.scene.backs))]
		t.of.edit(func(d *draft) {
			d.add(at, fmt.Sprint("frontend unused", i), "mode "+modeName(b.http), "bind "+ipAddress(200, byte(i+1), 80).IP.String(),
				"timeout client 10s", "default_backend "+b.name)
		})
	}
}

// unusedBackends adds backends that get no session. The indexes of the others change.
func unusedBackends(t *turn[*simReload]) {
	for i := range 1 + t.IntN(3) {
		at := t.Uint64()
		t.of.edit(func(d *draft) {
			d.add(at, fmt.Sprint("backend unused", i), "mode "+modeName(at%2 == 0), "timeout connect 1s", "timeout server 10s",
				"server s "+ipAddress(201, byte(i+1), 80).IP.String())
		})
	}
}

// addedAddresses adds bind lines that no client uses.
func addedAddresses(t *turn[*simReload]) {
	for _, f := range t.scene.fronts {
		if t.once(2) {
			text := ipAddress(202, byte(f.number+1), 80).IP.String()
			if t.once(3) {
				text = written(unixAddress(t.once(2), f.name+"added"))
			}
			t.of.edit(func(d *draft) { s := f.section(d); s.lines = append(s.lines, "bind "+text) })
		}
	}
}

// otherOrder changes the order of the frontends and backends.
func otherOrder(t *turn[*simReload]) {
	order := t.Uint64()
	t.of.edit(func(d *draft) {
		rest := (*d)[1:]
		rand.New(rand.NewPCG(order, 0)).Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	})
}

// otherAddress changes the address of bind lines: they listen on all addresses of the machine, or on
// one only. Their clients connect to an address that both have. Two frontends can't listen on all
// addresses with one port, so only the first one does so with port 80.
func otherAddress(t *turn[*simReload]) {
	for _, f := range t.scene.fronts {
		b := f.binds[0]
		if b.address.IsUnix() || b.text == "" && f.number > 0 {
			continue
		}
		is := fmt.Sprintf(among(t.Rand, "*:%d", ":::%d v4v6", "0.0.0.0:%d", b.address.IP.Addr().String()+":%d"), b.address.IP.Port())
		t.of.edit(func(d *draft) {
			b.text = is
			f.section(d).replace("bind "+cmp.Or(f.binds[0].text, written(f.binds[0].address)), "bind "+b.line())
		})
	}
}

// otherSocketOptions changes options of listening sockets.
func otherSocketOptions(t *turn[*simReload]) {
	for _, f := range t.scene.fronts {
		tfo, accept, backlog := t.once(2), t.once(2), t.once(2)
		t.of.edit(func(d *draft) {
			s := f.section(d)
			for i, line := range s.lines {
				switch {
				case !strings.HasPrefix(line, "bind ") || strings.HasPrefix(line, "bind unix") || strings.HasPrefix(line, "bind abns"):
				case strings.Contains(line, " tfo"):
					s.lines[i] = strings.ReplaceAll(line, " tfo", "")
				case tfo:
					s.lines[i] += " tfo"
				}
			}
			if accept {
				s.replace("option tcp-smart-accept", "option tcp-smart-accept")
			}
			if backlog {
				s.replace("backlog", fmt.Sprint("backlog ", 2*enough))
			}
		})
	}
}

// otherMaxconn raises, lowers, adds and removes maxconn of the process, of frontends and of addresses.
func otherMaxconn(t *turn[*simReload]) {
	if t.once(3) {
		most := 1 + t.IntN(enough)
		t.of.edit(func(d *draft) { (*d)[0].replace("maxconn", fmt.Sprint("maxconn ", most)) })
	}
	for _, f := range t.scene.fronts {
		if front := t.IntN(6); t.once(2) {
			line := fmt.Sprint("maxconn ", front)
			if front == 0 {
				line = ""
			}
			t.of.edit(func(d *draft) { f.section(d).replace("maxconn", line) })
		}
		if n := t.IntN(6); t.once(2) {
			t.of.edit(func(d *draft) { f.section(d).limitAddress(n) })
		}
	}
}

// limitAddress sets maxconn of the first bind line; 0: none.
func (s *section) limitAddress(most int) {
	for i, line := range s.lines {
		if !strings.HasPrefix(line, "bind ") {
			continue
		}
		line, _, _ = strings.Cut(line, " maxconn")
		if most > 0 {
			line += fmt.Sprint(" maxconn ", most)
		}
		s.lines[i] = line
		return
	}
}

// otherWeights changes weights above 0.
func otherWeights(t *turn[*simReload]) {
	for _, b := range t.scene.backs {
		for _, v := range b.servers {
			if v.weight == 0 {
				continue
			}
			weight := fmt.Sprint("weight ", among(t.Rand, 1, 2, 5, 100, 256))
			t.of.edit(func(d *draft) {
				s := b.section(d)
				if i := slices.IndexFunc(s.lines, func(l string) bool { return strings.HasPrefix(l, v.beginning()) }); i >= 0 {
					s.lines[i] += " " + weight // the last word counts
				}
			})
		}
	}
}

// unusedRules adds rules that hold for no client.
func unusedRules(t *turn[*simReload]) {
	for _, f := range t.scene.fronts {
		rules := []string{"tcp-request connection reject if { src 127.99.0.0/16 }"}
		if f.http {
			rules = append(rules, "http-request deny if { req.hdr(X-Nobody) x }", "http-request set-header X-Nobody x if { path /nobody }",
				"use_backend "+t.scene.backs[0].name+" if { req.hdr(Host) nobody.test } { path /nobody }")
			if !t.scene.backs[0].http {
				rules = rules[:3]
			}
		}
		n := t.IntN(len(rules) + 1)
		t.of.edit(func(d *draft) { s := f.section(d); s.lines = slices.Concat(rules[:n], s.lines) })
	}
}

// otherLogTarget changes the log target of frontends.
func otherLogTarget(t *turn[*simReload]) {
	for _, f := range t.scene.fronts {
		if f.log != logNothing && t.once(2) {
			t.of.edit(func(d *draft) {
				f.section(d).replace("log 127.0.9.", fmt.Sprintf("log 127.0.8.%d len 65535 local0", f.number+1))
			})
		}
	}
}

// newAddress adds an address with clients to a frontend. It is the same one in all reloads.
func newAddress(t *turn[*simReload]) {
	f := t.scene.fronts[t.IntN(len(t.scene.fronts))]
	at := slices.IndexFunc(f.binds, func(b simBind) bool { return b.joins })
	if at < 0 {
		at = len(f.binds)
		f.binds = append(f.binds, simBind{address: ipAddress(60+byte(f.number), 1, 82), joins: true})
		if t.once(3) {
			f.binds[at].address = unixAddress(t.once(2), f.name+"new")
		}
	}
	line := "bind " + f.binds[at].line()
	t.of.edit(func(d *draft) {
		s := f.section(d)
		s.lines = append(s.lines, line)
		t.of.changes(bindKey{f, at})
	})
}

// removedAddress removes an address with clients from a frontend, unless another frontend would get
// these clients.
func removedAddress(t *turn[*simReload]) {
	f := t.scene.fronts[t.IntN(len(t.scene.fronts))]
	at := t.IntN(len(f.binds))
	if f.binds[at].joins {
		return
	}
	t.of.edit(func(d *draft) {
		if f.number > 0 && d.listensEverywhere() {
			return
		}
		s, n := f.section(d), 0
		s.lines = slices.DeleteFunc(s.lines, func(line string) bool {
			if strings.HasPrefix(line, "bind ") {
				n++
			}
			return strings.HasPrefix(line, "bind ") && n == at+1
		})
		t.of.changes(bindKey{f, at})
	})
}

// changes notes that the reload adds or removes an address.
func (r *simReload) changes(k bindKey) {
	if r.changed == nil {
		r.changed = map[bindKey]bool{}
	}
	r.changed[k] = true
}

// renamedFrontend gives a frontend another name.
func renamedFrontend(t *turn[*simReload]) {
	f := t.scene.fronts[t.IntN(len(t.scene.fronts))]
	t.of.edit(func(d *draft) { f.section(d).title = "frontend " + f.names()[1] })
}

// removedFrontend removes a frontend, unless another one would get its clients. Another frontend
// without clients comes in its place. It may have no address, so the process may listen nowhere.
func removedFrontend(t *turn[*simReload]) {
	f := t.scene.fronts[t.IntN(len(t.scene.fronts))]
	at := among(t.Rand, []string{"bind 127.203.0.1:80"}, nil)
	t.of.edit(func(d *draft) {
		if f.number > 0 && d.listensEverywhere() {
			return
		}
		for i, s := range *d {
			if s.title == "frontend "+f.names()[0] || s.title == "frontend "+f.names()[1] {
				(*d)[i] = &section{"frontend unused", append([]string{"default_backend " + t.scene.backs[0].name,
					"mode " + modeName(t.scene.backs[0].http), "timeout client 10s"}, at...)}
			}
		}
	})
}

// listensEverywhere reports whether a frontend listens on port 80 of all addresses.
func (d *draft) listensEverywhere() bool {
	for _, s := range *d {
		for _, line := range s.lines {
			if a := strings.Fields(line); a[0] == "bind" && slices.Contains([]string{"*:80", ":::80", "0.0.0.0:80"}, a[1]) {
				return true
			}
		}
	}
	return false
}

// onServer returns a knob that makes an edit of a random server. Requests must then not rely on that
// server.
func onServer(do func(b *simBack, v *simServer, d *draft)) func(*turn[*simReload]) {
	return func(t *turn[*simReload]) {
		b := t.scene.backs[t.IntN(len(t.scene.backs))]
		v := b.servers[t.IntN(len(b.servers))]
		if v.joins {
			return
		}
		v.changes, t.scene.serversChange = true, true
		t.of.edit(func(d *draft) { do(b, v, d) })
	}
}

// movedServer gives a server another address, on which it serves, too.
func movedServer(t *turn[*simReload]) {
	b := t.scene.backs[t.IntN(len(t.scene.backs))]
	v := b.servers[t.IntN(len(b.servers))]
	if v.joins || v.kind != serves {
		return
	}
	t.scene.serversChange = true
	if v.second == (kernel.Address{}) {
		v.second = ipAddress(150+byte(slices.Index(t.scene.backs, b)), byte(slices.Index(b.servers, v)+1), 8000)
	}
	t.of.edit(func(d *draft) {
		b.section(d).replace(v.beginning(), "server "+v.name+" "+written(v.second)+v.words(b.cookie != nil))
	})
}

// addedServer adds a server. It is the same one in all reloads.
func addedServer(t *turn[*simReload]) {
	i := t.IntN(len(t.scene.backs))
	b := t.scene.backs[i]
	name := b.name + "s9"
	at := slices.IndexFunc(b.servers, func(v *simServer) bool { return v.name == name })
	if at < 0 {
		at = len(b.servers)
		b.servers = append(b.servers, &simServer{name: name, kind: serves, weight: 1, joins: true, address: ipAddress(100+byte(i), 9, 8000)})
	}
	v := b.servers[at]
	t.scene.serversChange = true
	t.of.edit(func(d *draft) { s := b.section(d); s.lines = append(s.lines, v.line(b.cookie != nil)) })
}

// finishServers adds the doubts that follow from changes of a backend's servers.
func (s *scene) finishServers(b *simBack) {
	rest := *b
	rest.servers = slices.DeleteFunc(slices.Clone(b.servers), func(v *simServer) bool { return v.changes || v.joins })
	if s.serversChange && len(rest.servers) < len(b.servers) {
		b.doubts |= rest.mayFail()
	}
}

func (f *simFront) section(d *draft) *section { return d.section("frontend " + f.name) }
func (b *simBack) section(d *draft) *section  { return d.section("backend " + b.name) }

// beginning returns the beginning of the server's line, which no other line has.
func (v *simServer) beginning() string { return "server " + v.name + " " }

// addTo adds a word to the line of a server.
func (b *simBack) addTo(v *simServer, d *draft, word string) {
	s := b.section(d)
	if i := slices.IndexFunc(s.lines, func(l string) bool { return strings.HasPrefix(l, v.beginning()) }); i >= 0 {
		s.lines[i] += " " + word
	}
}
