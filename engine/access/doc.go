// Package access writes log lines: what a line says, and how it leaves the
// process without ever holding up a connection.
//
// # Lines
//
// A session fills a [Record] when it ends and its loop's [Formatter] turns it
// into HAProxy's `option tcplog` line. Neither allocates.
//
// # The way out
//
//	loop ── Sink.Send ──> ring ──┐                ┌──> queue ── carrier ──> UDP
//	loop ── Sink.Send ──> ring ──┼── collector ───┼──> queue ── carrier ──> /dev/log
//	anybody ────────────── Log.Say ───────────────┴──> queue ── carrier ──> file
//
// A [Sink] belongs to one loop. It is a ring with one writer and one reader, so
// Send takes no lock, makes no system call unless the collector sleeps, and
// drops the line when the ring is full. The collector, one goroutine of the
// [Log], empties all rings, puts the syslog header before each line and copies
// it to the queue of every target that wants it. It lingers a few milliseconds
// after work, so that a busy loop does not pay for a wake-up a line.
//
// Each destination has a carrier: a bounded queue guarded by its mutex and a
// goroutine of its own, the only one that may block in a write. What a
// destination cannot take now (a full disk, a syslog daemon that restarts or
// does not read) is tried again; its queue fills, further lines for it are
// dropped and counted, and the other destinations do not notice. When there is
// room again the log goes on, at the byte where it stopped.
//
// Drops are counted ([Log.Dropped]) and reported to the process's own log at
// most once a second a destination.
//
// Destinations are opened once, by [Log.Route], which is meant to run before
// chroot and the change of user. Only a UNIX socket whose reader went away is
// opened again later, and its path must then exist inside the chroot.
package access
