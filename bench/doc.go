// Command bench measures Sluice beside HAProxy, nginx and a floor in C on one
// machine:
//
//	go run ./bench -scenario conn-rate,keepalive -rounds 5
//	go run ./bench -list
//
// It builds what it measures, drives it from outside, and shows a table; in
// bench/out it leaves JSON, Markdown and plots. README.md beside this file says
// what each scenario means and how to reproduce a figure by hand.
//
// The origin server is a process of its own (this program again, with
// -serve-origin), so are the proxies; the load comes from this one.
package main
