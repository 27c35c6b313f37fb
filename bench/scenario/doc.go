// Package scenario defines the scenarios and runs them. For each scenario it starts the
// proxies, checks that they answer correctly, and then measures them in interleaved rounds.
//
// One goroutine runs all this. Only one proxy has work at any time.
package scenario
