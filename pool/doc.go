// Package pool chooses the server for a connection. It holds the servers of each backend, checks
// whether they are up, and balances connections over them. It opens connections only for checks.
// The engine connects to the server that Pick returns.
//
// New makes a Backend. Four groups of goroutines use it at the same time:
//
//   - Loops call Pick, Hold, Release, Take, Drop, AfterFailure and the counters of Stat. These
//     take no lock, allocate nothing and make no system call, except the last Release of a removed
//     server.
//   - Registry.Check runs one goroutine for each checked server. These goroutines change the health
//     of servers.
//   - Commands read, add and remove servers. They change weight, address and administrative state.
//     The configuration contains only the initial values of these three.
//   - A reload makes a new Backend from the new configuration. The Backend in use takes over the
//     settings of the new one, see Backend.Follow. A value that a command has set stays, until two
//     configurations differ in this value.
//
// Settings are those of the newest configuration. Readers get settings and health as one immutable
// value, so that neither readers nor a reload take a lock. Health is counted by the settings rise and
// fall, so it changes with them.
//
// Each server of a backend has a slot. A session stores the number of the slot in place of a pointer. A server keeps its
// slot as long as the backend contains it or a reference to it exists. References are not the same
// as current sessions. A session holds a reference from the choice of its server until the session
// ends or chooses another server. An idle connection that is kept for a later request holds a
// reference, too.
//
// A Registry holds the objects that exist once in a process, by name: backends, and the counters
// and limits of frontends and of listening addresses. All generations of the configuration share
// these objects. An object is forgotten when the last generation that uses it ends.
//
// A backend has one picker, the state of its balancing algorithm, until a reload changes the
// algorithm. When the health, weight or administrative state of a server changes, the picker gets the
// new set of usable servers. Take and Drop inform the picker of the start and the end of a session's
// assignment to a server.
//
// A check connects to a server. With `option httpchk` it then sends an HTTP request. It
// reads only the head of the answer. Checks belong to the backend, not to a generation: they run from
// the first generation that has the backend to the last one.
package pool
