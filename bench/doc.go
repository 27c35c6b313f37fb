// Command bench measures Sluice and compares it with HAProxy, nginx and the floor on one
// machine. The floor is a minimal relay in C (bench/floor):
//
//	go run ./bench -scenario conn-rate,keepalive -rounds 5
//	go run ./bench -list
//
// It builds Sluice, starts the proxies, sends load to them and prints tables. It writes JSON,
// Markdown and plots to bench/out. README.md in this directory explains each scenario and how
// to reproduce a figure by hand.
//
// The origin server is a separate process: this program, started again with -serve-origin. The
// proxies are processes too. This process generates the load.
package main
