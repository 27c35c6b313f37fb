package conf

import (
	"math"
	"slices"
	"strings"
)

// maxCount is the upper limit for numbers of connections and descriptors.
const maxCount = 1 << 30

func (r *reader) globalMaxConn() { r.number(0, maxCount, &r.cfg.Global.MaxConn) }

func (r *reader) ulimitN() { r.number(1, maxCount, &r.cfg.Global.UlimitN) }

func (r *reader) uid() { r.number(0, math.MaxInt32, &r.cfg.Global.UID) }

func (r *reader) gid() { r.number(0, math.MaxInt32, &r.cfg.Global.GID) }

func (r *reader) user() { r.text("a user's name", &r.cfg.Global.User) }

func (r *reader) group() { r.text("a group's name", &r.cfg.Global.Group) }

func (r *reader) chroot() { r.text("a directory", &r.cfg.Global.Chroot) }

// Capabilities are the names of Linux capabilities that `setcap` accepts, as in HAProxy 3.0.
var Capabilities = []string{"cap_net_bind_service", "cap_net_raw", "cap_net_admin", "cap_sys_admin"}

// setcap parses `setcap NAME[,NAME...]` (HAProxy 3.0, configuration.txt 3.1). Several lines add up.
func (r *reader) setcap() {
	arg, ok := r.only(list(Capabilities) + ", separated by commas")
	if !ok {
		return
	}
	kept := &r.cfg.Global.SetCap
	for name := range strings.SplitSeq(arg, ",") {
		switch {
		case !slices.Contains(Capabilities, name):
			r.errorf("%s, wanted %s, separated by commas", shown(name), list(Capabilities))
		case slices.Contains(*kept, name):
			r.errorf("'%s' is there already, wanted %s, each at most once", name, list(Capabilities))
		default:
			*kept = append(*kept, name)
		}
	}
}

func (r *reader) pidfile() { r.text("a path", &r.cfg.Global.PidFile) }

func (r *reader) logTag() { r.text("a tag", &r.cfg.Global.LogTag) }

func (r *reader) strictLimits() {
	if r.end() {
		r.cfg.Global.StrictLimits = !r.off
	}
}

func (r *reader) daemon() {
	if r.end() {
		r.cfg.Global.Daemon = !r.off
	}
}

// masterWorker parses `master-worker [no-exit-on-failure]` (management.txt 4, configuration.txt 3.1).
func (r *reader) masterWorker() {
	if len(r.args) > 0 && r.args[0] == "no-exit-on-failure" {
		r.next()
		r.warnf("'no-exit-on-failure' is ignored: the master has one worker, and ends with it")
	}
	if r.end() {
		r.cfg.Global.MasterWorker = true
	}
}

// MaxThreads is the highest number of event loops. The lists of loops that wait for a free
// connection under maxconn have this size.
const MaxThreads = 1024

func (r *reader) nbthread() {
	r.number(1, MaxThreads, &r.cfg.Global.Threads)
	r.threadsSaid = true
}

// nbproc parses the obsolete directive for the number of processes. One process with as many loops
// serves the same purpose.
func (r *reader) nbproc() {
	var n int
	r.number(1, MaxThreads, &n)
	if n == 0 {
		return
	}
	if r.threadsSaid {
		r.warnf("ignored, HAProxy 2.5 removed it and nbthread is set")
		return
	}
	r.cfg.Global.Threads = n
	r.warnf("HAProxy 2.5 removed it; taken as 'nbthread %d', one process with %d event loops", n, n)
}

func (r *reader) statsTimeout() {
	if arg, ok := r.only("a time"); ok {
		r.duration(r.name, arg, &r.cfg.Global.StatsTimeout)
	}
}

func (r *reader) hardStop() {
	if arg, ok := r.only("a time"); ok {
		r.duration(r.name, arg, &r.cfg.Global.HardStop)
	}
}

func (r *reader) bufferBudget() {
	arg, ok := r.only("a size")
	if !ok {
		return
	}
	n, err := parseSize(arg)
	if err != nil {
		r.errorf("%s", err)
		return
	}
	r.cfg.Global.BufferBudget = n
}

// remark accepts a directive that only informs the reader of the file.
func (r *reader) remark() {}

// defaultLevel is the default level of a stats socket, as in HAProxy.
const defaultLevel = "operator"

// statsSocket parses `stats socket ADDRESS [param...]` (configuration.txt 3.1 and 5.1).
func (r *reader) statsSocket() {
	address := r.next()
	addrs, err := parseBind(address)
	if err != nil || len(addrs) != 1 {
		r.errorf("%s, wanted one path or address", shown(address))
		return
	}
	s := StatsSocket{Pos: r.at, Address: addrs[0], UID: -1, GID: -1, Level: defaultLevel}
	access := access{&s.Mode, &s.User, &s.Group, &s.UID, &s.GID}
	for len(r.args) > 0 {
		switch word := r.next(); word {
		case "level":
			r.oneOf(word, &s.Level, "user", "operator", "admin")
		case "expose-fd", "process", "thread", "name", "id", "maxconn", "backlog":
			r.warnf("'%s %s' is ignored", word, r.next())
		default:
			if !r.access(word, access) {
				r.errorf("'%s' is not known, wanted mode, user, group, uid, gid or level", word)
				return
			}
		}
	}
	r.cfg.Global.StatsSockets = append(r.cfg.Global.StatsSockets, s)
}

// oneOf parses the next argument, which must be one of the wanted words.
func (r *reader) oneOf(what string, into *string, wanted ...string) {
	arg := r.next()
	if slices.Contains(wanted, arg) {
		*into = arg
		return
	}
	r.errorf("%s, wanted %s", after(what, arg), list(wanted))
}
