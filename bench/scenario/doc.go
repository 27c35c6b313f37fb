// Package scenario knows the scenarios, and runs them: it starts the proxies
// of each, checks that they answer correctly, and then times them in
// interleaved rounds.
//
// One goroutine runs everything; only one proxy has work at any time.
package scenario
