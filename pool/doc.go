// Package pool turns a decision into a server: it knows the servers of each
// backend, which of them are up, and whose turn it is. It knows no client and
// no socket of a session; the engine dials what Pick names.
//
// A Backend is made once by New and lives as long as the configuration. Three
// parties use it at once:
//
//   - loops call Pick, AfterFailure and the counters of Stat; these take no
//     lock, allocate nothing and make no system call;
//   - the goroutines of Check, one a server, are the only ones that change a
//     server's health;
//   - the operator's door reads whatever it likes.
//
// What loops see of a backend is one immutable order of servers, built aside
// and swapped in whole when a server goes up or down.
//
// A check connects, or asks over HTTP where `option httpchk` is set. It reads
// no more than the head of an answer.
package pool
