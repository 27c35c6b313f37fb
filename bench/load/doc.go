// Package load generates the load of the harness: exchanges of a request and its answer (Run),
// connections that are kept open (Hold), and many bytes (Transfer).
//
// With a rate, Run is an open loop: exchanges begin on a schedule that does not wait for
// answers. The latency of an exchange counts from the time at which it should have begun. So if
// a proxy stalls, the latency includes the time that exchanges waited for it.
//
// Without a rate, Run is a closed loop: each client begins its next exchange after its last one
// has ended. This mode measures the CPU time per exchange. Its latencies do not show the
// latency at a given rate.
//
// Every byte of every answer is compared with the expected answer. Each thread of Run has its
// own epoll and clients, and shares nothing with the other threads.
package load
