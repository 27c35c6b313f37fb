// Package admin implements the stats socket, which answers commands of operators and tools. The
// commands are those of HAProxy's runtime API (management.txt 9.3), and so are their formats, so
// that tools for HAProxy work. All commands except reload only read.
//
// The engine owns the data and passes it in a View. Serve runs on its own goroutine and starts one
// more for each client. These goroutines read atomic counters. Only `show generations` and `reload`
// wait for the loops. No loop waits for a client.
package admin
