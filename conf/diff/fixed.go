package diff

// fixed are the items of the global section that a process takes at its start only, with the
// reason.
var fixed = map[string]string{
	"nbthread":      "the event loops are made at the start",
	"uid":           rights,
	"gid":           rights,
	"user":          rights,
	"group":         rights,
	"setcap":        rights,
	"chroot":        "a process cannot leave its chroot",
	"ulimit-n":      "the descriptors are divided at the start",
	"daemon":        "a process goes to the background at the start",
	"master-worker": "the processes are made at the start",
	"pidfile":       "the pid file is written at the start",
	"log-tag":       "the log is opened at the start with its tag",

	"buffer_budget": "the memory is divided at the start",
}

const rights = "a process that has dropped its rights cannot take others"

// Fixed returns why a running process cannot make the change, so that it takes a restart. It
// returns "" for a change that a process can make.
func (c Change) Fixed() string {
	switch {
	case c.Section != "global":
		return ""
	case c.Kind == StatsSocket:
		return "stats sockets are opened at the start"
	}
	return fixed[c.Item]
}
