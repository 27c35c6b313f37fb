package pool

import "fmt"

// ChangeKind is the kind of a Change.
type ChangeKind uint8

// The kinds of changes.
const (
	ServerAdded   ChangeKind = iota
	ServerRemoved            // sessions that use the server continue
	ServerAddress            // new connections lead to the new address
	ServerWeight
	ServerAdmin  // the administrative state
	CheckSetting // a setting of health checks, of a server or of its backend
	Setting      // another setting of a server or of a backend
)

// Change is a difference that Backend.Follow has found between a backend and its new configuration.
type Change struct {
	Kind    ChangeKind
	Backend string
	Server  string // name; empty: the change concerns the backend
	What    string // what has changed, such as weight or inter; empty for ServerAdded and ServerRemoved
	Was, Is string // values before and after the change; for ServerAdded, Is is the address
	Command bool   // a command had set Was, or had removed the server; the file wins
}

// String returns the change as a line of a log.
func (c Change) String() string {
	place := "backend " + c.Backend
	if c.Server != "" {
		place = "server " + c.Backend + "/" + c.Server
	}
	switch {
	case c.Kind == ServerRemoved:
		return place + ": removed"
	case c.Kind == ServerAdded && c.Command:
		return fmt.Sprintf("%s: added with address %s, although a command had removed it", place, c.Is)
	case c.Kind == ServerAdded:
		return fmt.Sprintf("%s: added with address %s", place, c.Is)
	case c.Command:
		return fmt.Sprintf("%s: %s %s, set by a command, is now %s", place, c.What, c.Was, c.Is)
	}
	return fmt.Sprintf("%s: %s %s is now %s", place, c.What, c.Was, c.Is)
}
