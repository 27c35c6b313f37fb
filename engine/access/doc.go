// Package access formats log lines and sends them to their destinations. A slow destination never
// delays a connection.
//
// # Lines
//
// When a session ends, it fills a [Record]. The [Formatter] of its loop turns the record into
// HAProxy's `option tcplog` line; other functions write the other formats. Neither allocates
// memory.
//
// # From a loop to a destination
//
//	loop ── Sink.Send ──> ring ──┐                ┌──> queue ── carrier ──> UDP
//	loop ── Sink.Send ──> ring ──┼── collector ───┼──> queue ── carrier ──> /dev/log
//	any goroutine ──────── Log.Say ───────────────┴──> queue ── carrier ──> file
//
// Each loop owns a [Sink]. It is a ring with one writer and one reader, so Send takes no lock. Send
// makes a system call only to wake a sleeping collector. It drops the line if the ring is full.
//
// The collector is one goroutine of the [Log]. It empties all rings, puts the syslog header before
// each line and copies the line to the queue of every target that accepts its level. After each
// round it waits a few milliseconds, so that a busy loop does not have to wake it for every line.
//
// Each destination has a carrier: a bounded queue with a mutex, and a goroutine. Only this
// goroutine may block in a write. If the destination cannot accept lines (a full disk, a syslog
// daemon that restarts or does not read), the carrier tries again. Meanwhile its queue fills;
// further lines are dropped and counted. Other destinations are not affected. When the destination
// accepts data again, the carrier continues at the byte where it stopped.
//
// Dropped lines are counted ([Log.Dropped]) and reported to the process log, at most once a second
// for each destination.
//
// [Log.Route] opens the destinations once. It should run before chroot and before the change of
// user. Only a UNIX socket is opened again later, if its reader went away. Its path must then exist
// inside the chroot.
//
// Several configurations may live at the same time, and each has its routes. Equal lists of targets
// are one route, and routes with the same destination share its carrier. [Log.Release] gives routes
// back. The last release of a destination closes it, after the lines that were sent before.
package access
