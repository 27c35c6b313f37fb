//go:build simulation

package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/kernel"
	"sluice/engine/sock"
)

// simReload is a reload while the balancer works. Its configuration is that of the world with some
// edits, so the configurations of two reloads do not depend on each other.
type simReload struct {
	number int
	at     time.Duration // time since the start when the configuration is read
	client int           // above 0: at counts from the time when one of the clients connects
	wait   time.Duration // time from the opening of sockets until the site becomes the newest one
	edits  []edit

	changed map[bindKey]bool // addresses that it adds or removes; set by its edits

	givenUp bool // after its first step, as by a master whose worker refuses the configuration
	busy    bool // the first listen fails, if there are new sockets
}

// edit changes one thing of a configuration.
type edit func(d *draft)

// draft is a configuration as sections, in the order of the file. The first is the section global.
type draft []*section

// section is a section of a configuration.
type section struct {
	title string
	lines []string
}

// makeReloads draws the times of reloads. Their edits are drawn by editReloads.
func makeReloads(t *turn[*scene]) {
	s := t.of
	s.sizes.tight = s.sizes.tight && t.once(4) // a reload needs descriptors beside those of the plan
	if t.once(3) {
		s.odds.late, s.odds.spread = true, 2*farewell
	}
	if t.once(6) && s.keeps("hard stops") {
		s.hardStops = true
		s.doubts |= cuts
	}
	s.stamps = t.once(2) && s.keeps("stamps")
	n := 1 + t.IntN(4)
	if t.once(4) {
		n = 20
	}
	for i := range n {
		r := &simReload{number: i, at: t.soon()}
		if t.once(2) {
			r.client, r.at = 1+t.IntN(mostTalks), time.Duration(t.Int64N(int64(2*time.Millisecond)))
			if s.odds.late && t.once(2) {
				r.at = -farewell
			}
		}
		if t.once(2) {
			r.wait = time.Duration(t.Int64N(int64(20 * time.Millisecond)))
		}
		if s.keeps(fmt.Sprint("reload ", i)) {
			s.reloads = append(s.reloads, r)
		}
	}
}

// farewell is the time after which a removed TCP socket is closed, see session.farewell. Some clients
// connect exactly then.
const farewell = 1500 * time.Millisecond

// editReloads draws the edits of all reloads. All other parts of the configuration are complete.
func (s *scene) editReloads() {
	for _, r := range s.reloads {
		turnAll(s, fmt.Sprint("reload ", r.number), r, reloadKnobs)
	}
	for _, b := range s.backs {
		s.finishServers(b)
	}
}

// edited returns the configuration of a reload.
func (s *scene) edited(r *simReload) string {
	d := s.draft()
	for _, e := range r.edits {
		e(&d)
	}
	if s.stamps {
		d.stamp(labelOf(r.number))
	}
	return d.String()
}

// section returns the section with this title, for example "backend b0".
func (d *draft) section(title string) *section {
	i := slices.IndexFunc(*d, func(s *section) bool { return s.title == title })
	if i < 0 {
		return &section{}
	}
	return (*d)[i]
}

// add adds a section at a position among those behind the section global.
func (d *draft) add(at uint64, title string, lines ...string) {
	*d = slices.Insert(*d, 1+int(at%uint64(len(*d))), &section{title, lines})
}

// replace replaces the first line with this beginning, and adds the line if there is none. An empty
// line removes the present one.
func (s *section) replace(beginning, line string) {
	i := slices.IndexFunc(s.lines, func(l string) bool { return strings.HasPrefix(l, beginning) })
	switch {
	case i >= 0 && line == "":
		s.lines = slices.Delete(s.lines, i, i+1)
	case i >= 0:
		s.lines[i] = line
	case line != "":
		s.lines = append(s.lines, line)
	}
}

// String returns the configuration in the syntax of haproxy.cfg.
func (d draft) String() string {
	var b strings.Builder
	for _, s := range d {
		b.WriteString(s.title + "\n")
		for _, line := range s.lines {
			b.WriteString("  " + line + "\n")
		}
	}
	return b.String()
}

// operator does the reloads of a world, one after the other. Each step of a reload is a chore. The
// scheduler chooses among the chores, the loops, the network and the actors. So the loops work
// between two steps, and one loop has the new site while another one has the old site.
type operator struct {
	chores []func() // steps that can be done now, in this order
	later  []func() // they wait until all loops have taken the site of the present reload
	reload *update  // the site that not all loops have taken; nil: none
	active bool     // a reload is between its first step and its end
	done   int      // number of complete reloads

	settled int // number of reloads that are complete or were refused
}

// whenSettled calls do at once, or when the present reload is complete.
func (o *operator) whenSettled(do func()) {
	if o.active {
		o.later = append(o.later, do)
		return
	}
	do()
}

// callFor makes the world reload at the time of r.
func (x *simulation) callFor(r *simReload) {
	at := r.at
	if r.client > 0 {
		at += x.talks[r.client%len(x.talks)].start
	}
	at = max(at, time.Millisecond) // at time 0, stat.Now is 0, and a removed UNIX socket is closed at 1 ms
	x.kernel.After(at, func() {
		x.chores = append(x.chores, func() { x.whenSettled(func() { x.prepareReload(r) }) })
	})
}

// doChore does the next chore.
func (x *simulation) doChore() {
	next := x.chores[0]
	x.chores = x.chores[1:]
	next()
}

// prepareReload does the first step of a reload: it compiles the configuration and binds sockets.
func (x *simulation) prepareReload(r *simReload) {
	x.tell(incident, "reload %d begins", r.number)
	x.active = true
	u, err := x.prepare(r)
	if err != nil {
		x.tell(incident, "reload %d is refused: %v", r.number, err)
		x.settle()
		return
	}
	x.maybeFinish()
	begin := func() { x.chores = append(x.chores, func() { x.beginReload(r, u) }) }
	if r.wait > 0 {
		x.kernel.After(r.wait, begin)
		return
	}
	begin()
}

func (x *simulation) prepare(r *simReload) (*update, error) {
	c, problems := conf.ParseString("world.cfg", x.edited(r))
	if err := problems.Err(); err != nil {
		x.failf("reload %d: %v\n%s", r.number, err, x.edited(r))
		return nil, err
	}
	made, err := compiled(c)
	if err != nil {
		x.failf("reload %d: %v\n%s", r.number, err, x.edited(r))
		return nil, err
	}
	x.wire.opening = true
	x.limitFiles()
	before := x.process.Open()
	u, err := x.engine.prepare(made, x.engine.opener(made, sock.LookUp))
	if n := x.process.Open(); err != nil && n != before {
		x.failf("reload %d is refused (%v), and %d descriptors are open, not %d", r.number, err, n, before)
	}
	return u, err
}

// beginReload does the second step of a reload: the site becomes the newest one. Each loop takes it
// in a step of its own.
func (x *simulation) beginReload(r *simReload, u *update) {
	before := x.process.Open()
	if err := x.tryBegin(r, u); err != nil {
		x.tell(incident, "reload %d is refused: %v", r.number, err)
		if x.process.Open() > before {
			x.failf("reload %d is refused (%v), and more descriptors are open than before", r.number, err)
		}
		x.settle()
		return
	}
	x.tell(incident, "reload %d: its site is the newest one", r.number)
	x.reload = u
	x.wire.follow(u)
	x.limitFiles()
	x.meet()
	x.beginEra(labelOf(r.number), r)
	x.followLimits()
	x.maybeFinish()
	x.chores = append(x.chores, func() {
		x.engine.tell(u.take)
		x.lookAtReload()
	})
}

// errGivenUp is the error of a reload that is given up.
var errGivenUp = errors.New("given up")

// tryBegin makes the site of a reload the newest one, unless the plan prevents that.
func (x *simulation) tryBegin(r *simReload, u *update) error {
	if r.givenUp {
		x.engine.abandon(u)
		return errGivenUp
	}
	fault, fails := x.process.Fault, r.busy
	defer func() { x.process.Fault = fault }()
	x.process.Fault = func(c kernel.Call) kernel.Errno {
		if fails && c == kernel.CallListen {
			fails = false
			return unix.EADDRINUSE
		}
		if fault != nil {
			return fault(c)
		}
		return 0
	}
	return x.engine.begin(u)
}

// maybeFinish sometimes drains or stops the balancer between two steps of a reload.
func (x *simulation) maybeFinish() {
	if f := x.finale; (f.drain || f.stop) && x.rand.IntN(4) == 0 {
		x.finish()
	}
}

// lookAtReload is called when the loops are told, and after each step of a loop. It completes the present reload if all loops have
// taken the site, or have ended.
func (x *simulation) lookAtReload() {
	switch {
	case x.reload == nil:
		return
	case !slices.Contains(x.ended, false):
		x.reload.closeMissed()
	case x.reload.left.Load() > 0:
		return
	default:
		x.checkTaken(x.reload)
	}
	x.tell(incident, "all loops have the new configuration")
	x.reload = nil
	x.done++
	x.followLimits()
	x.settle()
}

// settle ends the present reload, and does what has waited for that.
func (x *simulation) settle() {
	x.wire.opening = false
	x.limitFiles()
	x.active = false
	x.settled++
	for len(x.later) > 0 && !x.active {
		next := x.later[0]
		x.later = x.later[1:]
		next()
	}
}

// closeSite is Engine.aside: an old site is closed in a chore.
func (x *simulation) closeSite(do func()) { x.chores = append(x.chores, do) }
