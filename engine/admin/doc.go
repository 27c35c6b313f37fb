// Package admin is the operator's door: a stats socket that answers the
// commands of HAProxy's runtime API (management.txt 9.3), in its formats, so
// that its tools work here too. It only reads.
//
// The engine owns what is shown and hands it over in a View. Serve runs on a
// goroutine of its own and on one more for each client; it reads atomic
// counters and never waits for a loop, nor a loop for it.
package admin
