// Package load makes the load of the harness: exchanges of a request and its
// answer (Run), connections that are only held (Hold), and bytes (Transfer).
//
// Run is the generator. With a rate it is an open loop: exchanges begin on a
// schedule that does not wait for answers, and an exchange's latency counts
// from the moment it should have begun, so that a proxy which stalls is charged
// for all who had to wait. Without a rate each client begins its next exchange
// when it has finished one (a closed loop): that is for counting CPU time per
// exchange, and its latencies say nothing about a service under a given rate.
//
// Every byte of every answer is compared with the expected one. Each thread of
// Run has its own epoll and clients and shares nothing with the others.
package load
