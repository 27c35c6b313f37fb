// Command compare says what a change costs or gains:
//
//	go run ./bench/compare -ref main
//
// It checks the other version out into a git worktree of its own, in a folder
// that it removes again, runs the Go benchmarks of both and then the harness
// with both builds in the same rounds, and benchstat over either. The working
// tree is measured as it is, with changes that are not committed.
package main
